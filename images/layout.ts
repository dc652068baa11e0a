import { createHash } from 'node:crypto'
import type { Filesystem, PlannedPartition } from './plan.ts'
import type { RecipePartition } from './recipe.ts'
import { mebibyte, parseSize, renderSize } from './size.ts'

/** GPT partition type GUIDs (UEFI 2.10 table 5.7; GRUB manual, "BIOS installation"; UAPI Discoverable Partitions Specification, x86-64). */
export const typeGuids = {
  'bios-boot': '21686148-6449-6E6F-744E-656564454649',
  esp: 'C12A7328-F81F-11D2-BA4B-00A0C93EC93B',
  linux: '0FC63DAF-8483-4772-8E79-3D69D8477DE4',
  'linux-root': '4F68BCE3-E8CD-4DB1-96E7-FBCAF984B709',
} as const satisfies Record<RecipePartition['type'], string>

export interface Layout {
  diskSizeBytes: number
  diskGuid: string
  partitions: PlannedPartition[]
}

/** A layout that cannot be: which partition is at fault, or none when it is all of them together. */
export interface LayoutProblem {
  partition: number | undefined
  expected: string
  got: string
}

/**
 * A UUID made from text alone, so that two builds of a recipe are alike, for example `deriveUuid('debian-12/root')`.
 * It is of version 8, the one for own schemes (RFC 9562, 5.8).
 */
export function deriveUuid(seed: string): string {
  const bytes = createHash('sha256').update(seed).digest().subarray(0, 16)
  bytes[6] = (bytes[6]! & 0x0f) | 0x80
  bytes[8] = (bytes[8]! & 0x3f) | 0x80
  return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')
}

/** A FAT volume serial number in the form that `blkid` shows and fstab takes, for example `3F2A-91C0`. */
const deriveVolumeId = (seed: string): string =>
  createHash('sha256').update(seed).digest('hex').slice(0, 8).toUpperCase().replace(/^(.{4})/, '$1-')

/**
 * Turns sizes into byte positions, each a multiple of 1 MiB. The first MiB holds the primary GPT, the last one the backup (33 sectors at the very end
 * of the disk; UEFI 2.10, 5.3.2); a percentage is of what lies between, rounded down. Identifiers come from `name`.
 */
export function planLayout(name: string, diskSizeBytes: number, partitions: readonly RecipePartition[]): Layout | LayoutProblem {
  const usableBytes = diskSizeBytes - 2 * mebibyte
  const fixed = partitions.map((partition) => sizeOf(partition.size, usableBytes))
  const rests = fixed.flatMap((bytes, index) => (bytes === undefined ? [index] : []))
  if (rests.length > 1) return { partition: rests[1], expected: 'only one partition of size rest', got: `${rests.length} of them` }
  const empty = fixed.findIndex((bytes) => bytes === 0)
  if (empty !== -1) return { partition: empty, expected: 'at least 1MiB', got: `${partitions[empty]!.size} of ${renderSize(usableBytes)}` }
  const takenBytes = fixed.reduce<number>((sum, bytes) => sum + (bytes ?? 0), 0)
  const restBytes = usableBytes - takenBytes
  if (restBytes < rests.length * mebibyte) {
    return { partition: undefined, expected: `partitions that fit into ${usableBytes / mebibyte} MiB`, got: `${(takenBytes + rests.length * mebibyte) / mebibyte} MiB` }
  }

  let startBytes = mebibyte
  const planned = partitions.map((partition, index): PlannedPartition => {
    const sizeBytes = fixed[index] ?? restBytes
    const seed = `${name}/${partition.name}`
    const entry = {
      name: partition.name,
      typeGuid: typeGuids[partition.type],
      startBytes,
      sizeBytes,
      partitionGuid: deriveUuid(`${seed}/partition`),
      ...(partition.mount === undefined ? {} : { mountPoint: partition.mount }),
      ...(partition.filesystem === undefined ? {} : { filesystem: partition.filesystem }),
      ...(partition.filesystem === undefined ? {} : { filesystemUuid: filesystemUuid(partition.filesystem, seed) }),
    }
    startBytes += sizeBytes
    return entry
  })
  return { diskSizeBytes, diskGuid: deriveUuid(`${name}/disk`), partitions: planned }
}

const filesystemUuid = (filesystem: Filesystem, seed: string) => (filesystem === 'vfat' ? deriveVolumeId : deriveUuid)(`${seed}/${filesystem}`)

/** Bytes of a partition size, undefined for `rest`. */
function sizeOf(size: string, usableBytes: number): number | undefined {
  if (size === 'rest') return undefined
  const bytes = size.endsWith('%') ? (usableBytes * Number(size.slice(0, -1))) / 100 : parseSize(size)!
  return Math.floor(bytes / mebibyte) * mebibyte
}
