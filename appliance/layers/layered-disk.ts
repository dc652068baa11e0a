import type { FileHandle } from 'node:fs/promises'
import type { PlacedChunk } from '../restore/place-chunks.ts'
import { readFully, writeFully } from '../restore/write-fully.ts'

export interface LayeredDiskOptions {
  /** A disk, or a regular file. */
  handle: FileHandle
  /** Of what is shown, from the start of the disk. */
  sizeBytes: number
  /** Each chunk but the last has this size, and an offset that is a multiple of it. */
  chunkSizeBytes: number
  /** What the disk is to hold and does not hold yet. */
  chunks: readonly PlacedChunk[]
  /** Whether the disk holds what no chunk covers; otherwise that is zero, whatever is there. */
  isFilled: boolean
  /** The bytes of a chunk, checked. */
  fetchChunk: (chunk: PlacedChunk) => Promise<Buffer>
}

/** A disk over an image: what the image has and the disk lacks is fetched when it is first needed, and from then on the disk has it. */
export interface LayeredDisk {
  readonly sizeBytes: number
  read(offsetBytes: number, lengthBytes: number): Promise<Buffer>
  write(offsetBytes: number, bytes: Buffer): Promise<void>
  /** Offsets of the chunks that were written to, in no order: all others are as they were in the image. */
  changed(): number[]
  /** Only what is written from now on counts as changed. */
  forgetChanged(): void
}

/** Where the bytes of a chunk are now. */
const place = { disk: 0, nowhere: 1, image: 2 } as const

export function createLayeredDisk({ handle, sizeBytes, chunkSizeBytes, chunks, isFilled, fetchChunk }: LayeredDiskOptions): LayeredDisk {
  const places = new Uint8Array(Math.ceil(sizeBytes / chunkSizeBytes)).fill(isFilled ? place.disk : place.nowhere)
  const inImage = new Map(chunks.map((chunk) => [chunk.offsetBytes / chunkSizeBytes, chunk]))
  for (const index of inImage.keys()) places[index] = place.image
  const written = new Set<number>()
  const filling = new Map<number, Promise<void>>()

  const lengthOf = (index: number) => Math.min(chunkSizeBytes, sizeBytes - index * chunkSizeBytes)

  /** Sees to it that the disk has a chunk; once for all who need it at the same time. */
  const fill = (index: number): Promise<void> => {
    const put = async () => {
      const chunk = inImage.get(index)
      // The last chunk of an image is shorter than the same one of a larger disk.
      const bytes = Buffer.alloc(lengthOf(index))
      if (chunk !== undefined) (await fetchChunk(chunk)).copy(bytes)
      await writeFully(handle, bytes, index * chunkSizeBytes)
      places[index] = place.disk
    }
    return filling.getOrInsertComputed(index, () => put().finally(() => filling.delete(index)))
  }

  /** The parts of a range, each inside one chunk. */
  function* partsOf(offsetBytes: number, lengthBytes: number) {
    for (let done = 0; done < lengthBytes; ) {
      const at = offsetBytes + done
      const index = Math.floor(at / chunkSizeBytes)
      const length = Math.min(lengthBytes - done, index * chunkSizeBytes + lengthOf(index) - at)
      yield { index, at, start: done, end: done + length }
      done += length
    }
  }

  return {
    sizeBytes,
    async read(offsetBytes, lengthBytes) {
      const bytes = Buffer.allocUnsafe(Math.max(0, Math.min(lengthBytes, sizeBytes - offsetBytes)))
      for (const { index, at, start, end } of partsOf(offsetBytes, bytes.length)) {
        if (places[index] === place.image) await fill(index)
        if (places[index] === place.nowhere) bytes.fill(0, start, end)
        else await readFully(handle, bytes.subarray(start, end), at)
      }
      return bytes
    },
    async write(offsetBytes, bytes) {
      for (const { index, at, start, end } of partsOf(offsetBytes, bytes.length)) {
        written.add(index)
        const isWhole = end - start === lengthOf(index) && !filling.has(index)
        if (places[index] !== place.disk && !isWhole) await fill(index)
        // Before it is there, so that nobody puts the chunk of the image over it; the kernel reads no block while it writes it.
        places[index] = place.disk
        await writeFully(handle, bytes.subarray(start, end), at)
      }
    },
    changed: () => [...written].map((index) => index * chunkSizeBytes),
    forgetChanged: () => written.clear(),
  }
}
