import { mergeRanges, type ByteRange } from './byte-range.ts'

/** A piece of the disk that holds something: where it lies and which of its bytes are used. */
export interface PlannedChunk {
  offsetBytes: number
  /** The chunk size, less at the end of a disk that is no multiple of it. */
  lengthBytes: number
  /** In order, without overlap, positions on the disk. */
  used: ByteRange[]
}

/** Cuts a disk into chunks aligned to `chunkSizeBytes` and gives those that hold used bytes; what lies beyond the disk's end is left out. */
export function planChunks(used: readonly ByteRange[], diskSizeBytes: number, chunkSizeBytes: number): PlannedChunk[] {
  const chunks: PlannedChunk[] = []
  for (const range of mergeRanges(used)) {
    const end = Math.min(range.endBytes, diskSizeBytes)
    for (let start = range.startBytes; start < end; ) {
      const offsetBytes = start - (start % chunkSizeBytes)
      const lengthBytes = Math.min(chunkSizeBytes, diskSizeBytes - offsetBytes)
      const piece = { startBytes: start, endBytes: Math.min(end, offsetBytes + lengthBytes) }
      const last = chunks.at(-1)
      if (last?.offsetBytes === offsetBytes) last.used.push(piece)
      else chunks.push({ offsetBytes, lengthBytes, used: [piece] })
      start = piece.endBytes
    }
  }
  return chunks
}
