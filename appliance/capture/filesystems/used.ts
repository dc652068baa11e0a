import type { ByteRange } from '../byte-range.ts'
import type { Run } from '../../run.ts'

/** A partition that holds what a reader understands. */
export interface Source {
  /** Device node, for example `/dev/vda3`, or a file. */
  device: string
  sizeBytes: number
  run: Run
}

/** The used ranges, positions on the partition in any order; or why they cannot be told, so that the whole partition counts as used. */
export type Used = { ranges: ByteRange[] } | { wholeBecause: string }

/**
 * Tells what a filesystem uses of its partition from its own maps, without reading its data. It is not mounted.
 * Throws when it was not unmounted cleanly: its maps are then older than its journal, and an image would not be what the job left.
 */
export type FindUsed = (source: Source) => Promise<Used>

/** For a filesystem that is not as it must be: `/dev/vda3: expected a cleanly unmounted ext4 filesystem, got one that is not clean`. */
export const refusal = ({ device }: Source, name: string, got: string): Error => new Error(`${device}: expected a cleanly unmounted ${name} filesystem, got ${got}`)
