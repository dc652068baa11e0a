import { randomUUID } from 'node:crypto'
import { link, open, rename, rm, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import pMap from 'p-map'
import { createFlusher } from '../../../appliance/restore/create-flusher.ts'
import { filledRuns, writeFully } from '../../../appliance/restore/write-fully.ts'
import { storageRefusal, syncFolder } from '../../durable-file.ts'
import { IngotError } from '../../errors.ts'
import type { BlobStore } from '../blob-store.ts'
import { chunksAtOnce } from '../open-image-store.ts'
import type { FilePart, ImageFile } from './image-file.ts'
import { loadPart } from './read-image-file.ts'

/** The unit in which zeros become holes: the block of common file systems. */
const blockBytes = 4096

export interface WriteImageOptions {
  /** Replaces a file that is there. */
  force?: boolean
  signal?: AbortSignal
  /** How much of what is not zero was written. */
  onProgress?: (doneBytes: number, totalBytes: number) => void
}

/**
 * Writes an image file, sparse, its parts side by side and each checked. The file has its name only once it is whole and durable; whatever happens before,
 * nothing of it stays. Throws `IngotError`: 'argument-invalid' when there is a file of this name, or none can be made, 'storage-full', and as
 * `readImageFile`.
 */
export async function writeImageFile(file: ImageFile, blobs: BlobStore, path: string, { force = false, signal, onProgress }: WriteImageOptions = {}): Promise<void> {
  await refuseTarget(path, force)
  const beside = `${path}.${randomUUID()}.part`
  try {
    const handle = await open(beside, 'wx')
    try {
      await handle.truncate(file.sizeBytes)
      const totalBytes = file.parts.reduce((sum, { lengthBytes }) => sum + lengthBytes, 0)
      let doneBytes = 0
      const flusher = createFlusher(handle)
      const writePart = async (part: FilePart) => {
        const content = await loadPart(part, blobs)
        let at = part.startBytes
        for await (const bytes of content instanceof Uint8Array ? [content] : content) {
          for (const { start, end } of filledRuns(bytes, blockBytes)) {
            await writeFully(handle, bytes.subarray(start, end), at + start)
            flusher.wrote(end - start)
          }
          at += bytes.length
        }
        onProgress?.((doneBytes += part.lengthBytes), totalBytes)
      }
      await pMap(file.parts, writePart, { concurrency: chunksAtOnce, ...(signal === undefined ? {} : { signal }) })
      await flusher.end()
    } finally {
      await handle.close()
    }
    await settle(beside, path, force)
  } catch (error) {
    throw pathRefusal(storageRefusal(error, path), path)
  } finally {
    await rm(beside, { force: true })
  }
}

const isThere = (path: string): IngotError => new IngotError('argument-invalid', `${path} is there already; give another name, or --force to replace it`)

async function refuseTarget(path: string, force: boolean): Promise<void> {
  const found = await stat(path).catch(() => undefined)
  if (found === undefined) return
  // A device that is replaced by a file of its name would be gone.
  if (!found.isFile()) throw new IngotError('argument-invalid', `${path}: expected a file, got something else; write a disk with --output - and dd`)
  if (!force) throw isThere(path)
}

/** Gives the file its name, without `force` only if nothing else has it by now. */
async function settle(beside: string, path: string, force: boolean): Promise<void> {
  if (!force) {
    try {
      await link(beside, path)
      return await syncFolder(dirname(path))
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException
      if (code === 'EEXIST') throw isThere(path)
      // FAT has no links; there the name is taken as it was found free at the beginning.
      if (code !== 'EPERM' && code !== 'EOPNOTSUPP') throw error
    }
  }
  await rename(beside, path)
  await syncFolder(dirname(path))
}

/** What a user named wrongly, told as such. */
function pathRefusal(error: unknown, path: string): unknown {
  const { code, message } = error as NodeJS.ErrnoException
  if (!['ENOENT', 'ENOTDIR', 'EACCES', 'EPERM', 'EROFS', 'EISDIR', 'EFBIG', 'ENAMETOOLONG'].includes(code ?? '')) return error
  return new IngotError('argument-invalid', `${path} cannot be written: ${message}`, { cause: error })
}
