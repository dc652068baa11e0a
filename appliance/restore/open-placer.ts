import { constants, open } from 'node:fs/promises'
import { availableParallelism } from 'node:os'
import pMap from 'p-map'
import { ownProgram } from '../own-program.ts'
import { startThreads } from '../start-threads.ts'
import type { Target } from './clear-target.ts'
import { createFlusher } from './create-flusher.ts'
import type { PlacedChunk } from './place-chunks.ts'
import type { PlaceAnswer, PlaceTask, PlaceThreadData } from './place-thread.ts'

/**
 * Threads that expand, write and read: one for each processor, up to 8, and one that waits for the disk meanwhile. The process grows by 110 MiB with 2
 * processors and 290 with 8 or more, whatever the size of the image (measured).
 */
const threadCount = Math.min(availableParallelism(), 8) + 1
/** Chunks on their way at once, with those that are fetched meanwhile; each holds its blob, of little more than 2 MiB at most. */
const chunksInFlight = threadCount + 4

export interface PlacerOptions extends Pick<PlaceThreadData, 'chunkSizeBytes' | 'isZero'> {
  /** The bytes of a blob by its digest, in memory of their own that goes to whoever gets them. */
  readBlob: (digest: string, signal: AbortSignal) => Promise<Uint8Array<ArrayBuffer>>
  signal: AbortSignal
}

/** Puts the chunks of an image where they belong. */
export interface Placer {
  /** Fetches the chunks, checks them against their digests and writes them durably; returns the checksum of each one's bytes. */
  write(chunks: readonly PlacedChunk[], onDone: (chunk: PlacedChunk) => void): Promise<PlaceAnswer[]>
  /** Reads the chunks back. Throws when one of them has another checksum. */
  verify(chunks: readonly PlacedChunk[], sums: readonly PlaceAnswer[], onDone: (chunk: PlacedChunk) => void): Promise<void>
  close(): Promise<void>
}

/** Starts the threads. A disk is written and read past the kernel's cache, which saves a copy each way, and what is read back is what the disk has. */
export async function openPlacer({ path, kind }: Pick<Target, 'path' | 'kind'>, { readBlob, signal, chunkSizeBytes, isZero }: PlacerOptions): Promise<Placer> {
  const handle = await open(path, constants.O_RDWR | (kind === 'disk' ? constants.O_DIRECT : 0))
  const workerData: PlaceThreadData = { fd: handle.fd, chunkSizeBytes, isZero }
  const threads = startThreads<PlaceTask, PlaceAnswer>({ program: ownProgram(import.meta, 'place-thread'), count: threadCount, workerData })
  return {
    async write(chunks, onDone) {
      const failed = new AbortController()
      const until = AbortSignal.any([signal, failed.signal])
      const flusher = createFlusher(handle)
      const writeChunk = async (chunk: PlacedChunk): Promise<PlaceAnswer> => {
        const blob = await readBlob(chunk.digest, until)
        const sum = await threads.perform({ chunk, blob }, [blob.buffer])
        flusher.wrote(chunk.lengthBytes)
        onDone(chunk)
        return sum
      }
      try {
        return await pMap(chunks, writeChunk, { concurrency: chunksInFlight, signal: until })
      } catch (error) {
        // The other chunks on their way are given up too.
        failed.abort()
        throw error
      } finally {
        await flusher.end()
      }
    },
    async verify(chunks, sums, onDone) {
      const verifyChunk = async (chunk: PlacedChunk, index: number) => {
        if ((await threads.perform({ chunk })) !== sums[index]) throw new Error(`disk: what was written at ${chunk.offsetBytes} does not read back the same`)
        onDone(chunk)
      }
      await pMap(chunks, verifyChunk, { concurrency: threadCount, signal })
    },
    async close() {
      await threads.close()
      await handle.close()
    },
  }
}
