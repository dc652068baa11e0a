import type { ProofPlan } from '../../images/plan.ts'
import type { ProofBoot, ProofEvent, ProofRecord } from '../api/proof.ts'
import type { Failure } from '../api/status.ts'
import type { Image } from '../image-store/open-image-store.ts'

/** The boots that a plan asks for. */
export type BootPlan = Exclude<ProofPlan, 'none'>

export interface ProveOptions {
  /** Of the job that made the image. */
  job: string
  /** `boot` counts from 0. */
  onEvent: (event: ProofEvent, at?: { boot: ProofBoot; index: number; count: number }) => void
  signal: AbortSignal
}

/** What a proof came to: its record, and the consoles that it names by digest. */
export interface Proven {
  record: Extract<ProofRecord, { proof: 'booted' }>
  consoles: readonly { boot: ProofBoot; text: Buffer }[]
}

/**
 * Boots copies of an image as its plan says. Throws an `Unproven` when the image is at fault, an `IngotError` 'host-lacks' or whatever else went wrong when
 * the host is.
 */
export type Prove = (image: Image, plan: BootPlan, options: ProveOptions) => Promise<Proven>

/** A copy of an image did not boot, or did not pass its checks. */
export class Unproven extends Error {
  override readonly name = 'Unproven'
  readonly failure: Failure

  constructor({ message, lastLines = [] }: { message: string; lastLines?: readonly string[] }, options?: ErrorOptions) {
    super(message, options)
    this.failure = { step: 'proof', message, lastLines: [...lastLines] }
  }
}

/** For people: `BIOS`, `UEFI`, `UEFI with Secure Boot`. */
export const describeBoot = ({ firmware, secureBoot }: ProofBoot): string => (firmware === 'bios' ? 'BIOS' : secureBoot ? 'UEFI with Secure Boot' : 'UEFI')

/** Each boot that a plan asks for, in its order. */
export const bootsOf = ({ firmware, secureBoot }: BootPlan, always: { secureBoot: boolean }): ProofBoot[] =>
  firmware.map((each) => ({ firmware: each, secureBoot: each === 'uefi' && (secureBoot === true || always.secureBoot) }))
