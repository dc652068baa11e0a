import type { FileHandle } from 'node:fs/promises'

/** So much is read at once, and others get their turn before the next. */
const pieceBytes = 1024 * 1024

/**
 * Calls `onLine` with each whole line of a file from `start` to `end`, in bytes, and with where it ends, until that returns false. Returns where the last of
 * them ends: somebody may be in the middle of one that is longer. Empty lines are passed over.
 */
export async function readLines(file: FileHandle, { start, end }: { start: number; end: number }, onLine: (line: string, end: number) => false | void): Promise<number> {
  let rest = Buffer.alloc(0)
  let position = start
  while (position < end) {
    const piece = Buffer.alloc(Math.min(pieceBytes, end - position))
    const { bytesRead } = await file.read(piece, 0, piece.length, position)
    if (bytesRead === 0) break
    const bytes = Buffer.concat([rest, piece.subarray(0, bytesRead)])
    const first = position - rest.length
    position += bytesRead
    let from = 0
    for (let to = bytes.indexOf(0x0a); to !== -1; to = bytes.indexOf(0x0a, from)) {
      const line = bytes.toString('utf8', from, to)
      from = to + 1
      if (line !== '' && onLine(line, first + from) === false) return first + from
    }
    rest = bytes.subarray(from)
  }
  return position - rest.length
}
