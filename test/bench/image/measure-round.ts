import { rm, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Run, Start } from '../../../appliance/run.ts'
import { benchLayout } from './bench-layout.ts'
import type { Contender } from './contender.ts'
import { withLoopDevices } from './loop-devices.ts'
import { openIngot } from './measure-ingot.ts'
import { openCasync, openDd, openPartclone } from './measure-peers.ts'
import type { Measured, RoundPlan, Scenario, Side } from './options.ts'

/** What one side took: imaging each disk, and writing the first one back. */
export interface SideRound {
  capture: Partial<Record<Scenario, Measured>>
  restore: Measured
}
export type Round = Partial<Record<Side, SideRound>>

export interface MeasureRoundOptions extends RoundPlan {
  disks: Record<Scenario, string>
  /** An empty folder. */
  directory: string
  run: Run
  start: Start
  say: (line: string) => void
  signal: AbortSignal
}

/** Lets each side image the disks and restore the first, each from the same warm cache and with nothing from before. */
export async function measureRound({ sides, scenarios, disks, directory, run, start, say, signal }: MeasureRoundOptions): Promise<Round> {
  const open: Record<Side, (folder: string) => Contender | Promise<Contender>> = {
    ingot: (folder) => openIngot(folder, start),
    partclone: (folder) => openPartclone(folder, run),
    dd: (folder) => openDd(folder, run),
    casync: (folder) => openCasync(folder, run),
  }
  const measureSide = async (side: Side): Promise<SideRound> => {
    const folder = join(directory, side)
    const contender = await open[side](folder)
    try {
      const capture: SideRound['capture'] = {}
      for (const scenario of scenarios) {
        signal.throwIfAborted()
        await run('dd', [`if=${disks[scenario]}`, 'of=/dev/null', 'bs=4M', 'status=none'])
        const measured = await withLoopDevices(disks[scenario], run, (devices) => contender.capture(devices, scenario))
        capture[scenario] = measured
        say(`${side}: ${scenario}: ${describe(measured)}`)
      }
      const target = join(directory, `${side}.raw`)
      await writeFile(target, '')
      await truncate(target, benchLayout.diskSizeBytes)
      const restore = await withLoopDevices(target, run, (devices) => contender.restore(devices, 'first build'))
      say(`${side}: restore: ${describe(restore)}`)
      return { capture, restore }
    } finally {
      await contender.close()
      await rm(folder, { recursive: true, force: true })
      await rm(join(directory, `${side}.raw`), { force: true })
    }
  }
  const round: Round = {}
  for (const side of sides) round[side] = await measureSide(side)
  return round
}

const describe = ({ wallMs, cpuMs, bytes }: Measured): string => `${(wallMs / 1000).toFixed(1)} s, ${(cpuMs / 1000).toFixed(1)} s of processors, ${(bytes / 1e6).toFixed(1)} MB`
