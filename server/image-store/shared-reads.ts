import { LRUCache } from 'lru-cache'
import type { BlobStore } from './blob-store.ts'
import { readBlob } from './read-blob.ts'

/** Largest blob that is held whole, in bytes: a chunk of 2 MiB, which zstd may make a little larger, and the config of an image. */
export const sharedBlobBytes = 4 * 1024 * 1024

/** What was read last is held up to this size, in bytes: machines that begin together stay closer to one another than that. */
const heldBytes = 64 * 1024 * 1024

/** Reads of small blobs that many ask for at about the same time, such as machines that an image is deployed to side by side. */
export interface SharedReads {
  /**
   * A blob of a name, whole and with its digest, read from the store once for all who ask at the same time or soon after; nothing when it is not there or
   * larger than `sharedBlobBytes`. Throws `IngotError` 'image-corrupt' when what is stored has another digest; then it is put aside.
   */
  read(name: string, blobs: BlobStore, digest: string): Promise<Buffer | undefined>
}

export function createSharedReads(): SharedReads {
  const held = new LRUCache<string, Buffer>({ maxSize: heldBytes, sizeCalculation: ({ length }) => Math.max(1, length) })
  const underWay = new Map<string, Promise<Buffer>>()

  const begin = (key: string, blobs: BlobStore, digest: string, sizeBytes: number): Promise<Buffer> => {
    const read = readBlob(blobs, digest, sizeBytes)
      .then((bytes) => {
        held.set(key, bytes)
        return bytes
      })
      .finally(() => underWay.delete(key))
    underWay.set(key, read)
    return read
  }

  return {
    async read(name, blobs, digest) {
      const key = `${name}@${digest}`
      const known = held.get(key)
      if (known !== undefined) return known
      const sizeBytes = await blobs.size(digest)
      if (sizeBytes === undefined || sizeBytes > sharedBlobBytes) return undefined
      // Meanwhile another may have read it.
      return held.get(key) ?? underWay.get(key) ?? begin(key, blobs, digest, sizeBytes)
    },
  }
}
