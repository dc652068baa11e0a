import type { Accelerator } from '../../../server/rack/accelerator.ts'
import type { Firmware } from '../../../server/rack/machine-spec.ts'
import { spreadOf, type Spread } from '../statistics.ts'
import { claimMark, floorMark } from './measure-claim.ts'
import { configuredMark } from './measure-installer.ts'
import { momentOf, type Measurement } from './measurement.ts'
import { hardware } from './power-on.ts'

/** One boot of each side, the one right after the other, so that both meet the same load of this host. */
export interface Round {
  claim: Measurement
  installer: Measurement
}

/** A mark over all rounds, in milliseconds: since power-on, and since the mark before it. */
export interface MarkSummary {
  name: string
  sincePowerOnMs: Spread
  sinceLastMs: Spread
}

export interface SideSummary {
  marks: MarkSummary[]
  receivedBytes: number
}

/** A ratio over all rounds, each of moments of one round, and what it should be at most. */
export interface RatioSummary {
  ratio: Spread
  goal: number
}

/** What `bench boot --json` prints. */
export interface BootReport {
  firmware: Firmware
  accelerator: Accelerator
  memoryMiB: number
  cpus: number
  nic: string
  rounds: number
  installerVersion: string
  ingot: SideSummary
  installer: SideSummary
  /** Power-on → claim to power-on → the installer's network is configured. */
  toInstaller: RatioSummary
  /** Power-on → claim to power-on → the first HTTP request of stage 1. */
  toFloor: RatioSummary
}

type Circumstances = Pick<BootReport, 'firmware' | 'accelerator' | 'installerVersion'>

export function summarise(rounds: readonly Round[], { firmware, accelerator, installerVersion }: Circumstances): BootReport {
  const claims = rounds.map(({ claim }) => claim)
  const installers = rounds.map(({ installer }) => installer)
  const ratio = (moment: (round: Round) => number): Spread => spreadOf(rounds.map((round) => momentOf(round.claim, claimMark) / moment(round)))
  return {
    ...{ firmware, accelerator, memoryMiB: hardware.memoryMiB, cpus: hardware.cpus, nic: hardware.nic, rounds: rounds.length, installerVersion },
    ingot: summariseSide(claims),
    installer: summariseSide(installers),
    toInstaller: { ratio: ratio(({ installer }) => momentOf(installer, configuredMark)), goal: 0.3 },
    toFloor: { ratio: ratio(({ claim }) => momentOf(claim, floorMark)), goal: 1.3 },
  }
}

/** Marks in the order of the first boot; two that are close may change places in another. */
function summariseSide(measurements: readonly Measurement[]): SideSummary {
  const names = measurements[0]?.marks.map(({ name }) => name) ?? []
  const moment = (measurement: Measurement, index: number): number => (index < 0 ? 0 : momentOf(measurement, names[index]!))
  return {
    marks: names.map((name, index) => ({
      name,
      sincePowerOnMs: spreadOf(measurements.map((each) => moment(each, index))),
      sinceLastMs: spreadOf(measurements.map((each) => moment(each, index) - moment(each, index - 1))),
    })),
    receivedBytes: spreadOf(measurements.map(({ receivedBytes }) => receivedBytes)).median,
  }
}
