/* A thread that makes frames of chunks, one at a time (see `start-threads.ts`). */
import { hash } from 'node:crypto'
import { parentPort, workerData } from 'node:worker_threads'
import { chunkSizeBytes } from '../../server/api/image.ts'
import { compressChunk } from './compress-chunk.ts'
import type { Patch } from './gpt.ts'
import type { PlannedChunk } from './plan-chunks.ts'
import { readChunk } from './read-chunk.ts'

/** What a thread knows from the start. */
export interface FrameThreadData {
  /** The disk, open for the whole process. */
  fd: number
  patches: readonly Patch[]
}

export interface FrameTask {
  chunk: PlannedChunk
  /** Shared memory that the frame goes to. */
  room: Uint8Array
}

/** The frame that lies in the room from its beginning on; `undefined` when the chunk is nothing but zeros. */
export type FrameAnswer = { digest: string; sizeBytes: number } | undefined

const { fd, patches: cloned } = workerData as FrameThreadData
const patches = cloned.map(({ startBytes, bytes }) => ({ startBytes, bytes: Buffer.from(bytes) }))
const buffer = Buffer.allocUnsafeSlow(chunkSizeBytes)
const zeros = Buffer.alloc(chunkSizeBytes)

function frame({ chunk, room }: FrameTask): FrameAnswer {
  const bytes = readChunk(fd, chunk, patches, buffer)
  if (bytes.equals(zeros.subarray(0, bytes.length))) return undefined
  const blob = compressChunk(bytes)
  room.set(blob)
  const answer = { digest: `sha256:${hash('sha256', blob)}`, sizeBytes: blob.length }
  // Gives its memory back now: V8 would let 60 of them come together before it looks for garbage.
  blob.buffer.transfer(0)
  return answer
}

parentPort!.on('message', (task: FrameTask) => parentPort!.postMessage(frame(task)))
