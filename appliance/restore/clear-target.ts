import { readFile, realpath, type FileHandle } from 'node:fs/promises'
import { basename } from 'node:path'
import type { ByteRange } from '../capture/byte-range.ts'
import type { Run } from '../run.ts'
import { writeFully } from './write-fully.ts'

/** Where an image goes. */
export interface Target {
  /** Device node of a whole disk, for example `/dev/vda`, or a regular file. */
  path: string
  handle: FileHandle
  kind: 'disk' | 'file'
  /** All of it, not only what the image covers. */
  sizeBytes: number
}

export interface ClearOptions {
  /** What the image covers; from here on the target keeps nothing of what it held, but need not be zero. */
  layoutSizeBytes: number
  /** What of the image is to be zero at first: what no chunk covers, and what is written last. */
  ranges: readonly ByteRange[]
  run: Run
  signal: AbortSignal
}

const zeros = Buffer.alloc(1024 * 1024)
/** Backup GPT and signatures of RAID stand at the very end of a disk. */
const endBytes = 1024 * 1024

/**
 * Makes zero what must be zero of a target, in the cheapest way that the target promises to be zero afterwards: a file gets holes, a disk that can zero
 * ranges by itself does, and to any other zeros are written, into these ranges alone. (Discarded blocks need not read as zero: BLKDISCARD serves only for
 * what lies beyond the image.) Returns whether the chunks' places are zero too, so that zeros in them need not be written.
 */
export async function clearTarget({ path, handle, kind, sizeBytes }: Target, { layoutSizeBytes, ranges, run, signal }: ClearOptions): Promise<boolean> {
  if (kind === 'file') {
    await handle.truncate(0)
    await handle.truncate(sizeBytes)
    return true
  }
  const limit = async (name: string) => Number(await readFile(`/sys/class/block/${basename(await realpath(path))}/queue/${name}`, 'utf8'))
  if (sizeBytes > layoutSizeBytes) {
    if ((await limit('discard_max_bytes')) > 0) await run('blkdiscard', ['--offset', String(layoutSizeBytes), path], { signal })
    await writeZeros(handle, { startBytes: Math.max(layoutSizeBytes, sizeBytes - endBytes), endBytes: sizeBytes }, signal)
  }
  if ((await limit('write_zeroes_max_bytes')) > 0) {
    await run('blkdiscard', ['--zeroout', '--offset', '0', '--length', String(layoutSizeBytes), path], { signal, timeoutMs: 3_600_000 })
    return true
  }
  for (const range of ranges) await writeZeros(handle, range, signal)
  return false
}

async function writeZeros(handle: FileHandle, { startBytes, endBytes }: ByteRange, signal: AbortSignal): Promise<void> {
  for (let at = startBytes; at < endBytes; at += zeros.length) {
    signal.throwIfAborted()
    await writeFully(handle, zeros.subarray(0, Math.min(zeros.length, endBytes - at)), at)
  }
}
