import { createHash } from 'node:crypto'
import { open, type FileHandle } from 'node:fs/promises'
import type { SystemPartition } from '../steps/context.ts'
import { readFully, writeFully } from '../restore/write-fully.ts'

const mebibyte = 1024 * 1024

/**
 * Where a disk is marked: the last 4 KiB, a whole sector of any disk, of the MiB before the first partition, which no partition table, boot code or
 * filesystem uses.
 */
export const markPlace = { startBytes: mebibyte - 4096, lengthBytes: 4096 } as const

/** What stands first in a mark. */
const signature = 'ingot-capture-1\n'

/** So much of the start of each partition is hashed: the superblocks of all our filesystems lie there, which change whenever one is mounted to be written. */
const partitionStartBytes = 128 * 1024

/** What a worker leaves on a disk that it is about to capture, so that it need not be made again when the power goes. */
export interface DiskMark {
  job: string
  /** Digest of the plan, whose steps before this one are done. */
  plan: string
  stepIndex: number
  /** Digest of what a disk that was used since would have otherwise; see `digestState`. */
  state: string
}

interface Layout {
  partitions: readonly Pick<SystemPartition, 'startBytes' | 'sizeBytes'>[]
}

/** Whether the place of a mark is none of the layout's, and nothing but perhaps a mark is there. */
export async function hasRoomForMark(disk: FileHandle, { partitions }: Layout): Promise<boolean> {
  if (partitions.some(({ startBytes }) => startBytes < mebibyte)) return false
  const place = await readPlace(disk)
  return place.equals(Buffer.alloc(markPlace.lengthBytes)) || place.toString('latin1').startsWith(signature)
}

/** Digest of what lies before the first partition, mark aside, and of the start of each partition. */
export async function digestState(disk: FileHandle, { partitions }: Layout): Promise<string> {
  const hash = createHash('sha256')
  hash.update(await readAt(disk, 0, markPlace.startBytes))
  for (const { startBytes, sizeBytes } of partitions) hash.update(await readAt(disk, startBytes, Math.min(partitionStartBytes, sizeBytes)))
  return `sha256:${hash.digest('hex')}`
}

/** The mark on a disk, if there is one. */
export async function readMark(disk: FileHandle): Promise<DiskMark | undefined> {
  const text = (await readPlace(disk)).toString()
  if (!text.startsWith(signature)) return undefined
  try {
    return JSON.parse(text.slice(signature.length, text.indexOf('\0'))) as DiskMark
  } catch {
    // The power went while it was written.
    return undefined
  }
}

/** Marks a disk; afterwards the mark, and all that was written before, outlives the power. */
export async function writeMark(device: string, mark: DiskMark): Promise<void> {
  const place = Buffer.alloc(markPlace.lengthBytes)
  place.write(`${signature}${JSON.stringify(mark)}`)
  await writePlace(device, place)
}

/** Takes the mark from a disk, before anything else is written to it. */
export const clearMark = (device: string): Promise<void> => writePlace(device, Buffer.alloc(markPlace.lengthBytes))

async function writePlace(device: string, bytes: Buffer): Promise<void> {
  const disk = await open(device, 'r+')
  try {
    // What is marked must be on the disk before the mark is: no order is kept within one flush.
    await disk.sync()
    await writeFully(disk, bytes, markPlace.startBytes)
    await disk.sync()
  } finally {
    await disk.close()
  }
}

const readPlace = (disk: FileHandle): Promise<Buffer> => readAt(disk, markPlace.startBytes, markPlace.lengthBytes)

async function readAt(disk: FileHandle, startBytes: number, lengthBytes: number): Promise<Buffer> {
  const bytes = Buffer.alloc(lengthBytes)
  await readFully(disk, bytes, startBytes)
  return bytes
}
