import { randomBytes } from 'node:crypto'
import { link, mkdir, open, readdir, rename, rm, stat, unlink } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { IngotError } from './errors.ts'
import { shareNext } from './share-next.ts'

/*
 * How every file of the data directory is written: whole into a temporary file beside it, flushed, then given its name in one step, and the
 * folder flushed, so that a crash at any point leaves the old file or the new one and never a half (POSIX rename and link are atomic).
 * All of it throws `IngotError` 'storage-full' when the disk is full, with nothing changed.
 */

const codeOf = (error: unknown): string | undefined => (error as NodeJS.ErrnoException).code

/** What a write to `path` that failed is told as: `IngotError` 'storage-full' when the disk is full, else the error itself. */
export const storageRefusal = (error: unknown, path: string): unknown =>
  codeOf(error) === 'ENOSPC' || codeOf(error) === 'EDQUOT' ? new IngotError('storage-full', `no space is left to write ${path}; nothing was changed`, { cause: error }) : error

async function flushFolder(path: string): Promise<void> {
  const folder = await open(path, 'r')
  try {
    await folder.sync()
  } finally {
    await folder.close()
  }
}

const folderSyncs = new Map<string, () => Promise<void>>()

/** Flushes a folder, so that the names in it are durable. Those who ask while one flush is under way share the next. */
export function syncFolder(path: string): Promise<void> {
  let sync = folderSyncs.get(path)
  if (sync === undefined) folderSyncs.set(path, (sync = shareNext(() => flushFolder(path))))
  return sync()
}

/** Half a file of a process that was killed; those of living ones last for moments. */
const abandonedMs = 600_000

/** Removes from a folder what a killed process left there in the middle of a write. */
export async function dropAbandoned(folder: string): Promise<void> {
  const temporary = (await readdir(folder)).filter((name) => /\.[0-9a-f]{12}\.tmp$/.test(name)).map((name) => join(folder, name))
  for (const path of temporary) {
    const writtenAt = (await stat(path, { throwIfNoEntry: false }))?.mtimeMs
    if (writtenAt !== undefined && Date.now() - writtenAt > abandonedMs) await rm(path, { force: true })
  }
}

async function writeBeside(path: string, content: string | Uint8Array, mode: number): Promise<string> {
  const beside = `${path}.${randomBytes(6).toString('hex')}.tmp`
  const file = await open(beside, 'wx', mode).catch(async (error: unknown) => {
    if (codeOf(error) !== 'ENOENT') throw error
    await mkdir(dirname(path), { recursive: true })
    return open(beside, 'wx', mode)
  })
  try {
    await file.writeFile(content)
    // Flushed before it gets its name also when that may be lost: else a crash could leave the name with nothing in it.
    await file.sync()
  } catch (error) {
    await rm(beside, { force: true })
    throw error
  } finally {
    await file.close()
  }
  return beside
}

export interface WriteOptions {
  /** Permissions, default 0644. */
  mode?: number
  /** False for what may be lost in a crash of the machine, the file before it then being there. Default true. */
  durable?: boolean
}

/** Replaces a file, or makes it, atomically and durably. */
export async function replaceFile(path: string, content: string | Uint8Array, { mode = 0o644, durable = true }: WriteOptions = {}): Promise<void> {
  try {
    const beside = await writeBeside(path, content, mode)
    try {
      await rename(beside, path)
    } catch (error) {
      await rm(beside, { force: true })
      throw error
    }
    if (durable) await syncFolder(dirname(path))
  } catch (error) {
    throw storageRefusal(error, path)
  }
}

/**
 * Makes a file that must not exist yet, with its whole content from the first moment on, and tells whether it was made: of any number of
 * callers, also on several machines that share the folder, exactly one gets `true`. By link(2), which NFS makes exclusive too.
 */
export async function createFile(path: string, content: string | Uint8Array, { mode = 0o644 }: Pick<WriteOptions, 'mode'> = {}): Promise<boolean> {
  try {
    const beside = await writeBeside(path, content, mode)
    try {
      await link(beside, path)
    } catch (error) {
      if (codeOf(error) === 'EEXIST') return false
      throw error
    } finally {
      await unlink(beside)
    }
    await syncFolder(dirname(path))
    return true
  } catch (error) {
    throw storageRefusal(error, path)
  }
}

/**
 * Puts text at the end of a file, or makes the file; when the disk is full, nothing of it stays there. It may be lost in a crash of the machine. Whoever
 * appends to a file does so in turns. Returns the size of the file, in bytes.
 */
export async function appendToFile(path: string, text: string): Promise<number> {
  try {
    const file = await open(path, 'a')
    try {
      const { size } = await file.stat()
      await file.appendFile(text).catch(async (error: unknown) => {
        await file.truncate(size)
        throw error
      })
      return size + Buffer.byteLength(text)
    } finally {
      await file.close()
    }
  } catch (error) {
    throw storageRefusal(error, path)
  }
}

/** Takes a file away, durably; one that is not there is no error. */
export async function removeFile(path: string): Promise<void> {
  try {
    await unlink(path)
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return
    throw error
  }
  await syncFolder(dirname(path))
}
