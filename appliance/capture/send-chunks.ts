import { hash } from 'node:crypto'
import type { FileHandle } from 'node:fs/promises'
import { availableParallelism } from 'node:os'
import pMap, { pMapSkip } from 'p-map'
import { chunkSizeBytes, lengthAnnotation, offsetAnnotation, type ChunkDescriptor } from '../../server/api/image.ts'
import { mediaTypes } from '../../server/api/media-types.ts'
import type { JobServer } from '../server-client.ts'
import { sizeOfRanges } from './byte-range.ts'
import { compressChunk } from './compress-chunk.ts'
import { createKnownBlobGuess } from './known-blob-guess.ts'
import type { CapturePlan } from './plan-capture.ts'
import { readChunk } from './read-chunk.ts'

/**
 * Chunks on their way at once: as many as libuv compresses at a time, which is one for each processor but 4 at least (its default) and 16 at most, and
 * two that are sent meanwhile. Each holds its bytes, their frame and a copy of that in the HTTP client: 3 MiB at most, 18 MiB in all on 4 processors
 * and 54 MiB on 16; with what waits for garbage collection the process grows by 60 to 135 MiB on the former (measured).
 */
export const chunksInFlight = Math.min(Math.max(availableParallelism(), 4), 16) + 2

const zeros = Buffer.alloc(chunkSizeBytes)

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
  const buffers = Array.from({ length: chunksInFlight }, () => Buffer.allocUnsafeSlow(chunkSizeBytes))
  const guess = createKnownBlobGuess()
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
    await server.pushBlob(image, digest, blob, signal)
  }

  const layers = await pMap(
    plan.chunks,
    async (chunk) => {
      signal.throwIfAborted()
      const buffer = buffers.pop()!
      let blob: Buffer | undefined
      try {
        const bytes = await readChunk(disk, chunk, plan.patches, buffer)
        if (!bytes.equals(zeros.subarray(0, bytes.length))) blob = await compressChunk(bytes)
      } finally {
        buffers.push(buffer)
      }
      let layer: ChunkDescriptor | typeof pMapSkip = pMapSkip
      if (blob !== undefined) {
        const digest = `sha256:${hash('sha256', blob)}`
        const annotations = { [offsetAnnotation]: String(chunk.offsetBytes), [lengthAnnotation]: String(chunk.lengthBytes) }
        layer = { mediaType: mediaTypes.chunk, digest, size: blob.length, annotations }
        await uploads.getOrInsertComputed(digest, () => upload(digest, blob))
      }
      onProgress((doneBytes += sizeOfRanges(chunk.used)))
      return layer
    },
    { concurrency: chunksInFlight, signal },
  ).catch((error: unknown) => {
    // The other chunks on their way are given up too, rather than sent on behind a step that has failed.
    failed.abort()
    throw error
  })
  return { layers, blobBytes, knownBytes }
}
