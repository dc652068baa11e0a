import type { FileHandle } from 'node:fs/promises'
import { availableParallelism } from 'node:os'
import pMap, { pMapSkip } from 'p-map'
import { chunkSizeBytes, lengthAnnotation, offsetAnnotation, type ChunkDescriptor } from '../../server/api/image.ts'
import { mediaTypes } from '../../server/api/media-types.ts'
import { ownProgram } from '../own-program.ts'
import type { JobServer } from '../server-client.ts'
import { startThreads } from '../start-threads.ts'
import { sizeOfRanges } from './byte-range.ts'
import { createByteWindow } from './byte-window.ts'
import { frameOverheadBytes } from './compress-chunk.ts'
import type { FrameAnswer, FrameTask, FrameThreadData } from './frame-thread.ts'
import { createKnownBlobGuess } from './known-blob-guess.ts'
import type { CapturePlan } from './plan-capture.ts'
import type { PlannedChunk } from './plan-chunks.ts'

/**
 * Threads that read and compress: one for each processor, up to 8, and one that reads meanwhile. The process grows by 75 MiB with one processor, 105
 * with 2 and 275 with 8 or more, whatever the size of the disk (measured).
 */
const framerCount = Math.min(availableParallelism(), 8) + 1
/** Chunks on their way at once, with those that are sent meanwhile. Each has room for its frame, of little more than 2 MiB. */
const chunksInFlight = framerCount + 4

/**
 * Bytes on the wire that the server has not answered yet, at most: one chunk that does not compress, or several of the usual kind. Whatever is cut then, no
 * more than this has to be sent again (F9). A line of 1 Gbit/s is full with it as long as the server answers within 17 ms.
 */
const unansweredBytes = chunkSizeBytes

/** What was sent: the chunks in the order of the disk, and how much of it the server had already. */
export interface SentChunks {
  layers: ChunkDescriptor[]
  /** Compressed bytes, each blob once. */
  blobBytes: number
  /** Of these, bytes that were not sent because the server holds them and was asked. */
  knownBytes: number
}

export interface SendChunksOptions {
  server: JobServer
  image: string
  signal: AbortSignal
  /** Called after each chunk with the used bytes of the disk that are done. */
  onProgress: (doneBytes: number) => void
}

/**
 * Reads, compresses, hashes and sends the chunks of a disk, a bounded number of them at once so that disk, processors and network work at the
 * same time and memory does not depend on the disk. A chunk of nothing but zeros is left out; of those that the server holds most are not sent.
 */
export async function sendChunks(
  disk: FileHandle,
  plan: Pick<CapturePlan, 'chunks' | 'patches'>,
  options: SendChunksOptions,
): Promise<SentChunks> {
  const { server, image, onProgress } = options
  const failed = new AbortController()
  const signal = AbortSignal.any([options.signal, failed.signal])
  const rooms = Array.from({ length: chunksInFlight }, () => Buffer.from(new SharedArrayBuffer(chunkSizeBytes + frameOverheadBytes)))
  const guess = createKnownBlobGuess()
  const sending = createByteWindow(unansweredBytes)
  const uploads = new Map<string, Promise<void>>()
  let doneBytes = 0
  let blobBytes = 0
  let knownBytes = 0

  async function upload(digest: string, blob: Buffer): Promise<void> {
    blobBytes += blob.length
    if (guess.shouldAsk()) {
      const known = await server.hasBlob(image, digest, signal)
      guess.learn(known)
      if (known) {
        knownBytes += blob.length
        return
      }
    }
    await sending(blob.length, () => server.pushBlob(image, digest, blob, signal))
  }

  const workerData: FrameThreadData = { fd: disk.fd, patches: plan.patches }
  const framers = startThreads<FrameTask, FrameAnswer>({ program: ownProgram(import.meta, 'frame-thread'), count: framerCount, workerData })
  const sendChunk = async (chunk: PlannedChunk): Promise<ChunkDescriptor | typeof pMapSkip> => {
    signal.throwIfAborted()
    const room = rooms.pop()!
    try {
      const frame = await framers.perform({ chunk, room })
      if (frame === undefined) return pMapSkip
      const { digest, sizeBytes } = frame
      await uploads.getOrInsertComputed(digest, () => upload(digest, room.subarray(0, sizeBytes)))
      const annotations = { [offsetAnnotation]: String(chunk.offsetBytes), [lengthAnnotation]: String(chunk.lengthBytes) }
      return { mediaType: mediaTypes.chunk, digest, size: sizeBytes, annotations }
    } finally {
      rooms.push(room)
      onProgress((doneBytes += sizeOfRanges(chunk.used)))
    }
  }
  try {
    const layers = await pMap(plan.chunks, sendChunk, { concurrency: chunksInFlight, signal })
    return { layers, blobBytes, knownBytes }
  } catch (error) {
    // The other chunks on their way are given up too, rather than sent on behind a step that has failed.
    failed.abort()
    throw error
  } finally {
    await framers.close()
  }
}
