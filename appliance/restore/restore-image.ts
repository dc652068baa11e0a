import { constants, open, type FileHandle } from 'node:fs/promises'
import type { ImageConfig, ImageManifest } from '../../server/api/image.ts'
import { invertRanges, type ByteRange } from '../capture/byte-range.ts'
import type { Run } from '../run.ts'
import { clearTarget, type Target } from './clear-target.ts'
import { openPlacer } from './open-placer.ts'
import { placeChunks, type PlacedChunk } from './place-chunks.ts'
import { readFully } from './write-fully.ts'

export interface RestoreOptions {
  manifest: ImageManifest
  config: ImageConfig
  /** Device node of a whole disk, for example `/dev/vda`, or a regular file. All that it holds is lost. */
  path: string
  /** The bytes of a blob by its digest, in memory of their own; they are checked here. */
  readBlob: (digest: string, signal: AbortSignal) => Promise<Uint8Array<ArrayBuffer>>
  run: Run
  signal: AbortSignal
  onProgress: (at: { doneBytes: number; totalBytes: number; detail: string }) => void
}

/** What was done, in bytes of the disk and of blobs. */
export interface Restored {
  writtenBytes: number
  blobBytes: number
  targetSizeBytes: number
}

/**
 * Writes an image onto a disk or into a file: afterwards the first `config.diskSizeBytes` are the image bit by bit, zero where it holds nothing. Chunks
 * are fetched, checked against their digests, expanded and written side by side; then all of them are read back from the disk itself, past the
 * kernel's cache, and only when all are written: a disk that is smaller than it says writes the later ones over the earlier. The partition tables come last: a disk that was cut off before is no half system, but one that holds nothing, and may be written again.
 * Throws when the target is in use, is too small, has sectors of another size, or does not read back as written.
 */
export async function restoreImage(options: RestoreOptions): Promise<Restored> {
  const { manifest, config, path, readBlob, run, signal, onProgress } = options
  const chunks = placeChunks(manifest, config)
  await refuseDiskInUse(path)
  const handle = await open(path, 'r+')
  try {
    const target = await inspectTarget(path, handle, config, run)
    const [tables, others] = partition(chunks, (chunk) => mayHoldTable(chunk, config))
    const gaps = invertRanges(chunks.map(placeOf), config.diskSizeBytes)
    const totalBytes = chunks.reduce((sum, { lengthBytes }) => sum + lengthBytes, 0)
    onProgress({ doneBytes: 0, totalBytes, detail: 'clearing the disk' })
    const isZero = await clearTarget(target, { layoutSizeBytes: config.diskSizeBytes, ranges: [...gaps, ...tables.map(placeOf)], run, signal })
    const told = (detail: string) => {
      let doneBytes = 0
      return ({ lengthBytes }: PlacedChunk) => onProgress({ doneBytes: (doneBytes += lengthBytes), totalBytes, detail })
    }
    const [onWritten, onVerified] = [told('writing the image'), told('reading back')]
    const placer = await openPlacer(target, { readBlob, chunkSizeBytes: config.chunkSizeBytes, isZero, signal })
    try {
      for (const part of [others, tables]) {
        const sums = await placer.write(part, onWritten)
        // Of what went through the kernel's cache too, the disk is read back from here on.
        if (target.kind === 'disk') await run('blockdev', ['--flushbufs', path], { signal })
        await placer.verify(part, sums, onVerified)
      }
    } finally {
      await placer.close()
    }
    await verifyGaps(handle, gaps)
    return { writtenBytes: totalBytes, blobBytes: chunks.reduce((sum, { blobBytes }) => sum + blobBytes, 0), targetSizeBytes: target.sizeBytes }
  } finally {
    await handle.close()
  }
}

const placeOf = ({ offsetBytes, lengthBytes }: PlacedChunk): ByteRange => ({ startBytes: offsetBytes, endBytes: offsetBytes + lengthBytes })

/** A GPT takes less than this at each end of a disk: 34 sectors, of 4 KiB at most, unless someone asked for more than 128 partitions. */
const tableBytes = 256 * 1024

const mayHoldTable = ({ offsetBytes, lengthBytes }: PlacedChunk, { diskSizeBytes }: ImageConfig): boolean =>
  offsetBytes < tableBytes || offsetBytes + lengthBytes > diskSizeBytes - tableBytes

const partition = <Item>(items: readonly Item[], belongs: (item: Item) => boolean): [Item[], Item[]] => [items.filter(belongs), items.filter((item) => !belongs(item))]

/** The kernel gives a disk exclusively (O_EXCL, open(2)) only while it is neither mounted nor part of another device. */
async function refuseDiskInUse(path: string): Promise<void> {
  try {
    await (await open(path, constants.O_RDWR | constants.O_EXCL)).close()
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EBUSY') throw new Error(`${path}: expected a disk that nothing uses, got one that is in use`, { cause: error })
    throw error
  }
}

async function inspectTarget(path: string, handle: FileHandle, { diskSizeBytes, sectorBytes }: ImageConfig, run: Run): Promise<Target> {
  const stats = await handle.stat()
  if (stats.isFile()) return { path, handle, kind: 'file', sizeBytes: Math.max(stats.size, diskSizeBytes) }
  if (!stats.isBlockDevice()) throw new Error(`${path}: expected a disk or a regular file, got something else`)
  const [sizeBytes = 0, sector = 0] = (await run('blockdev', ['--getsize64', '--getss', path])).split('\n').map(Number)
  if (sizeBytes < diskSizeBytes) throw new Error(`${path}: expected a disk of at least ${diskSizeBytes} bytes, got ${sizeBytes}`)
  // Partition tables count in sectors.
  if (sector !== sectorBytes) throw new Error(`${path}: expected sectors of ${sectorBytes} bytes, which the image was made for, got ${sector}`)
  return { path, handle, kind: 'disk', sizeBytes }
}

/** How much of each end of a gap is read: that it is zero inside is the kernel's promise, and reading all would take longer than everything else. */
const gapEndBytes = 64 * 1024

async function verifyGaps(handle: FileHandle, gaps: readonly ByteRange[]): Promise<void> {
  const zeros = Buffer.alloc(gapEndBytes)
  for (const { startBytes, endBytes } of gaps) {
    for (const start of [startBytes, Math.max(startBytes, endBytes - gapEndBytes)]) {
      const bytes = Buffer.allocUnsafe(Math.min(gapEndBytes, endBytes - start))
      await readFully(handle, bytes, start)
      if (!bytes.equals(zeros.subarray(0, bytes.length))) throw new Error(`disk: expected zeros at ${start}, got something else`)
    }
  }
}
