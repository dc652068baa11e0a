import { readSync } from 'node:fs'
import type { Patch } from './gpt.ts'
import type { PlannedChunk } from './plan-chunks.ts'

/**
 * Reads the used bytes of a chunk of the disk `fd` into `buffer`, puts the patches over them, and makes everything else zero.
 * One read from the first used byte to the last costs less than many small ones; what lies between is cleared again.
 */
export function readChunk(fd: number, chunk: PlannedChunk, patches: readonly Patch[], buffer: Buffer): Buffer {
  const bytes = buffer.subarray(0, chunk.lengthBytes)
  const first = chunk.used[0]!.startBytes
  const end = chunk.used.at(-1)!.endBytes
  let position = first
  while (position < end) {
    const bytesRead = readSync(fd, bytes, position - chunk.offsetBytes, end - position, position)
    if (bytesRead === 0) throw new Error(`disk: expected data up to byte ${end}, got its end at ${position}`)
    position += bytesRead
  }
  let cleared = chunk.offsetBytes
  for (const range of [...chunk.used, { startBytes: chunk.offsetBytes + chunk.lengthBytes, endBytes: 0 }]) {
    bytes.fill(0, cleared - chunk.offsetBytes, range.startBytes - chunk.offsetBytes)
    cleared = range.endBytes
  }
  for (const patch of patches) {
    const at = patch.startBytes - chunk.offsetBytes
    const from = Math.max(0, -at)
    if (at < bytes.length && from < patch.bytes.length) patch.bytes.copy(bytes, Math.max(0, at), from)
  }
  return bytes
}
