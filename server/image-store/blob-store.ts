import type { Readable } from 'node:stream'

/** Largest blob that is taken from a worker, in bytes: a chunk of 2 MiB with room for larger chunks later. */
export const maxBlobBytes = 16 * 1024 * 1024

/** From the first byte to the last, both counted from 0 and inside the blob. */
export interface BlobRange {
  first: number
  last: number
}

/** Content-addressed bytes of one image name. A digest is `sha256:` and 64 hex digits. */
export interface BlobStore {
  /** Size in bytes, or `undefined` when there is no such blob. */
  size(digest: string): Promise<number | undefined>
  /** As `size`, and a promise that garbage collection leaves the blob alone for a day: an image that needs it is on its way. */
  keep(digest: string): Promise<number | undefined>
  /** Throws `IngotError` 'blob-unknown' when there is no such blob. What comes is not checked: see `readBlob` and `verifyStream`. */
  read(digest: string, range?: BlobRange): Promise<Readable>
  /** All of a blob that is small enough to be held. Throws as `read` does. */
  bytes(digest: string): Promise<Buffer>
  /**
   * Stores what a stream gives under its digest and returns its size. The blob is there whole and durable, or not at all. Throws `IngotError`
   * 'blob-refused' when the digest is another, 'blob-too-large' beyond `maxBytes` (default: no limit), 'storage-full', and whatever the stream throws.
   */
  write(digest: string, content: AsyncIterable<Uint8Array> | Iterable<Uint8Array>, options?: { maxBytes?: number }): Promise<number>
  /** Makes a file of this machine a blob and takes it away, unless it has another digest ('blob-refused'). Returns its size. */
  adopt(digest: string, path: string): Promise<number>
  /** Takes a blob that no longer has its digest out of the way, so that it can be uploaded again. */
  quarantine(digest: string): Promise<void>
}
