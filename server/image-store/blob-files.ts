import { randomUUID } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { mkdir, open, readdir, readFile, rename, rm, stat, unlink, utimes } from 'node:fs/promises'
import { join } from 'node:path'
import pMap from 'p-map'
import { storageRefusal, syncFolder } from '../durable-file.ts'
import { IngotError } from '../errors.ts'
import type { BlobStore } from './blob-store.ts'
import { hexOf } from './digest.ts'
import { hashFile, requireDigest, writeHashed } from './hash-file.ts'

/** A blob that was kept less long ago than this is not marked again: marking is a write. */
const markEveryMs = 60 * 60 * 1000

/** A blob as it lies on the disk. */
export interface BlobFile {
  digest: string
  sizeBytes: number
  /** When it came, or was last kept; milliseconds since 1970. */
  keptAtMs: number
}

/** Blobs as files of the folder `blobs/sha256` of an OCI image layout. */
export interface BlobFiles extends BlobStore {
  /** Every blob; files that are none are left out. */
  list(): Promise<BlobFile[]>
  find(digest: string): Promise<BlobFile | undefined>
  /** Takes a blob away for good. */
  remove(digest: string): Promise<void>
  path(digest: string): string
}

const isMissing = (error: unknown): boolean => (error as NodeJS.ErrnoException).code === 'ENOENT'

/** The blobs of an image layout whose folders are there (see `makeLayoutFolders`). */
export function openBlobFiles(directory: string): BlobFiles {
  const folder = join(directory, 'blobs', 'sha256')
  const path = (digest: string) => join(folder, hexOf(digest))

  const find = async (digest: string): Promise<BlobFile | undefined> => {
    try {
      const { size, mtimeMs } = await stat(path(digest))
      return { digest, sizeBytes: size, keptAtMs: mtimeMs }
    } catch (error) {
      if (isMissing(error)) return undefined
      throw error
    }
  }
  const unknown = (digest: string) => new IngotError('blob-unknown', `blob ${digest} is not in the store`)
  const settle = async (from: string, digest: string): Promise<void> => {
    await rename(from, path(digest))
    await syncFolder(folder)
  }

  return {
    path,
    find,
    size: async (digest) => (await find(digest))?.sizeBytes,
    async keep(digest) {
      const found = await find(digest)
      if (found === undefined || Date.now() - found.keptAtMs < markEveryMs) return found?.sizeBytes
      try {
        await utimes(path(digest), new Date(), new Date())
        return found.sizeBytes
      } catch (error) {
        if (isMissing(error)) return undefined
        throw error
      }
    },
    async read(digest, range) {
      try {
        const file = await open(path(digest), 'r')
        return createReadStream('', { fd: file, highWaterMark: 256 * 1024, ...(range === undefined ? {} : { start: range.first, end: range.last }) })
      } catch (error) {
        throw isMissing(error) ? unknown(digest) : error
      }
    },
    async bytes(digest) {
      try {
        return await readFile(path(digest))
      } catch (error) {
        throw isMissing(error) ? unknown(digest) : error
      }
    },
    async write(digest, content, { maxBytes = Infinity } = {}) {
      const target = path(digest)
      const beside = join(directory, 'uploads', `${randomUUID()}.part`)
      try {
        const sizeBytes = await writeHashed(beside, digest, content, maxBytes)
        await settle(beside, digest)
        return sizeBytes
      } catch (error) {
        await rm(beside, { force: true })
        throw storageRefusal(error, target)
      }
    },
    async adopt(digest, from) {
      const got = await hashFile(from)
      requireDigest(digest, got)
      const file = await open(from, 'r+')
      try {
        await file.sync()
      } finally {
        await file.close()
      }
      await settle(from, digest)
      return got.sizeBytes
    },
    async quarantine(digest) {
      try {
        await rename(path(digest), join(directory, 'corrupt', `${hexOf(digest)}.${randomUUID()}`))
      } catch (error) {
        // Another reader has found it too.
        if (!isMissing(error)) throw error
      }
      await syncFolder(folder)
    },
    async list() {
      const names = (await readdir(folder)).filter((name) => /^[0-9a-f]{64}$/.test(name))
      const found = await pMap(names, (name) => find(`sha256:${name}`), { concurrency: 16 })
      return found.filter((blob) => blob !== undefined)
    },
    async remove(digest) {
      await unlink(path(digest))
    },
  }
}

/**
 * The folders of an image layout. Uploads and what was found corrupt lie on the same file system as the blobs, for rename, and outside their folder,
 * which holds nothing but blobs (OCI image-layout.md).
 */
export async function makeLayoutFolders(directory: string): Promise<void> {
  for (const path of [join('blobs', 'sha256'), 'uploads', 'corrupt']) await mkdir(join(directory, path), { recursive: true })
}
