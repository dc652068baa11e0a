import type { FileHandle } from 'node:fs/promises'

/** So much is read at once, and others get their turn before the next. */
const pieceBytes = 1024 * 1024

/**
 * Calls `onLine` with each whole line of a file from `start` to `end`, in bytes, and tells where the last of them ends: somebody may be in the middle of one
 * that is longer.
 */
export async function readLines(file: FileHandle, { start, end }: { start: number; end: number }, onLine: (line: string) => void): Promise<number> {
  let rest = Buffer.alloc(0)
  let position = start
  while (position < end) {
    const piece = Buffer.alloc(Math.min(pieceBytes, end - position))
    const { bytesRead } = await file.read(piece, 0, piece.length, position)
    if (bytesRead === 0) break
    position += bytesRead
    const bytes = Buffer.concat([rest, piece.subarray(0, bytesRead)])
    const whole = bytes.lastIndexOf(0x0a) + 1
    for (const line of bytes.subarray(0, whole).toString().split('\n')) if (line !== '') onLine(line)
    rest = bytes.subarray(whole)
  }
  return position - rest.length
}
