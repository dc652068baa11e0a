/* A thread that puts chunks where they belong and reads them back, one at a time (see `start-threads.ts`). */
import { readSync, writeSync } from 'node:fs'
import { parentPort, workerData } from 'node:worker_threads'
import { crc32 } from 'node:zlib'
import { expandChunkSync } from './expand-chunk.ts'
import type { PlacedChunk } from './place-chunks.ts'
import { filledRuns } from './write-fully.ts'

/** What a thread knows from the start. */
export interface PlaceThreadData {
  /** The target, open for the whole process. */
  fd: number
  /** Largest size of a chunk. */
  chunkSizeBytes: number
  /** Whether the target is zero already, so that zeros need not be written. */
  isZero: boolean
}

/** With its blob a chunk is checked against its digest, expanded and written; without it is read from the target. */
export interface PlaceTask {
  chunk: PlacedChunk
  blob?: Uint8Array
}

/** CRC-32 of what was written or read. It is to find what a disk does to its data by accident, as the checksums of file systems are; SHA-256 takes several times as long. */
export type PlaceAnswer = number

const { fd, chunkSizeBytes, isZero } = workerData as PlaceThreadData
/** Begins with a page, as the kernel wants it for reads and writes past its cache (O_DIRECT, open(2)): that of a `Buffer` begins anywhere. */
const room = Buffer.from(new WebAssembly.Memory({ initial: Math.ceil(chunkSizeBytes / 65536) }).buffer)

function place({ chunk, blob }: PlaceTask): PlaceAnswer {
  const { offsetBytes, lengthBytes } = chunk
  const bytes = room.subarray(0, lengthBytes)
  if (blob === undefined) {
    readFullySync(bytes, offsetBytes)
    return crc32(bytes)
  }
  const expanded = expandChunkSync(blob, chunk)
  bytes.set(expanded)
  // Gives its memory back now: V8 would let 60 of them come together before it looks for garbage.
  ;(expanded.buffer as ArrayBuffer).transfer(0)
  for (const { start, end } of isZero ? filledRuns(bytes) : [{ start: 0, end: lengthBytes }]) writeFullySync(bytes.subarray(start, end), offsetBytes + start)
  return crc32(bytes)
}

function writeFullySync(bytes: Uint8Array, position: number): void {
  for (let done = 0; done < bytes.length; ) done += writeSync(fd, bytes, done, bytes.length - done, position + done)
}

function readFullySync(bytes: Uint8Array, position: number): void {
  for (let done = 0; done < bytes.length; ) {
    const bytesRead = readSync(fd, bytes, done, bytes.length - done, position + done)
    if (bytesRead === 0) throw new Error(`expected data up to byte ${position + bytes.length}, got the end at ${position + done}`)
    done += bytesRead
  }
}

parentPort!.on('message', (task: PlaceTask) => parentPort!.postMessage(place(task)))
