import { createHash, randomUUID } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { syncFolder } from '../durable-file.ts'
import { IngotError } from '../errors.ts'

/** Largest blob that is taken, in bytes: a chunk of 1 MiB with room for larger chunks later. */
export const maxBlobBytes = 16 * 1024 * 1024

/** Uploads that no byte reached for this long were left behind by a server that died. */
const abandonedAfterMs = 24 * 60 * 60 * 1000

/** Content-addressed bytes in the folder `blobs/sha256` of an OCI image layout. A digest is `sha256:` and 64 hex digits. */
export interface BlobStore {
  /** Size in bytes, or `undefined` when there is no such blob. */
  size(digest: string): Promise<number | undefined>
  /** Throws `IngotError` `blob-unknown` when there is no such blob. */
  read(digest: string): Promise<Readable>
  /**
   * Stores what a stream gives under its digest and returns its size. The blob is there whole and durable, or not at all.
   * Throws `IngotError` `blob-refused` when the digest is another, `blob-too-large` beyond `maxBlobBytes`, and whatever the stream throws.
   */
  write(digest: string, content: AsyncIterable<Uint8Array> | Iterable<Uint8Array>): Promise<number>
  /** Takes a blob that no longer has its digest out of the way, to `corrupt/`, so that it can be uploaded again. */
  quarantine(digest: string): Promise<void>
}

const hexOf = (digest: string): string => {
  const hex = /^sha256:([0-9a-f]{64})$/.exec(digest)?.[1]
  if (hex === undefined) throw new IngotError('blob-refused', `digest: expected sha256: and 64 hex digits, got "${digest}"`)
  return hex
}

const isMissing = (error: unknown): boolean => (error as NodeJS.ErrnoException).code === 'ENOENT'

/** Opens the blobs of an image layout, making its folders as needed. */
export async function openBlobStore(directory: string): Promise<BlobStore> {
  const folder = join(directory, 'blobs', 'sha256')
  // On the same file system as the blobs, for rename, and outside their folder, which holds nothing but blobs (OCI image-layout.md).
  const uploads = join(directory, 'uploads')
  const corrupt = join(directory, 'corrupt')
  for (const path of [folder, uploads, corrupt]) await mkdir(path, { recursive: true })
  await removeAbandoned(uploads)

  const pathOf = (digest: string) => join(folder, hexOf(digest))
  async function size(digest: string): Promise<number | undefined> {
    try {
      return (await stat(pathOf(digest))).size
    } catch (error) {
      if (isMissing(error)) return undefined
      throw error
    }
  }

  return {
    size,
    async read(digest) {
      try {
        const file = await open(pathOf(digest), 'r')
        return createReadStream('', { fd: file, highWaterMark: 256 * 1024 })
      } catch (error) {
        if (isMissing(error)) throw new IngotError('blob-unknown', `blob ${digest} is not in the store`)
        throw error
      }
    },
    async write(digest, content) {
      const path = pathOf(digest)
      const beside = join(uploads, randomUUID())
      try {
        const sizeBytes = await writeHashed(beside, digest, content)
        await rename(beside, path)
        await syncFolder(folder)
        return sizeBytes
      } finally {
        await rm(beside, { force: true })
      }
    },
    async quarantine(digest) {
      await rename(pathOf(digest), join(corrupt, `${hexOf(digest)}.${randomUUID()}`))
    },
  }
}

async function writeHashed(path: string, digest: string, content: AsyncIterable<Uint8Array> | Iterable<Uint8Array>): Promise<number> {
  const file = await open(path, 'wx')
  try {
    const hash = createHash('sha256')
    let sizeBytes = 0
    for await (const piece of content) {
      sizeBytes += piece.length
      if (sizeBytes > maxBlobBytes) throw new IngotError('blob-too-large', `blob: expected at most ${maxBlobBytes} bytes, got more`)
      hash.update(piece)
      await file.writeFile(piece)
    }
    const got = `sha256:${hash.digest('hex')}`
    if (got !== digest) throw new IngotError('blob-refused', `blob: expected the digest ${digest}, got ${got} of ${sizeBytes} bytes`)
    await file.sync()
    return sizeBytes
  } finally {
    await file.close()
  }
}

async function removeAbandoned(uploads: string): Promise<void> {
  for (const name of await readdir(uploads)) {
    const path = join(uploads, name)
    if (Date.now() - (await stat(path)).mtimeMs > abandonedAfterMs) await rm(path, { force: true })
  }
}
