import { randomBytes } from 'node:crypto'
import { link, mkdir, open, rename, rm } from 'node:fs/promises'
import { dirname } from 'node:path'

/*
 * How every file of the data directory is written: whole into a temporary file beside it, flushed, then given its name in one step, and the
 * folder flushed, so that a crash at any point leaves the old file or the new one and never a half (POSIX rename and link are atomic).
 */

/** Flushes a folder, so that the names in it are durable. */
export async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r')
  try {
    await folder.sync()
  } finally {
    await folder.close()
  }
}

async function writeBeside(path: string, content: string | Uint8Array, mode: number): Promise<string> {
  await mkdir(dirname(path), { recursive: true })
  const beside = `${path}.${randomBytes(6).toString('hex')}.tmp`
  const file = await open(beside, 'wx', mode)
  try {
    await file.writeFile(content)
    await file.sync()
  } catch (error) {
    await rm(beside, { force: true })
    throw error
  } finally {
    await file.close()
  }
  return beside
}

/** Replaces a file, or makes it, atomically and durably. `mode` is its permissions, default 0644. */
export async function replaceFile(path: string, content: string | Uint8Array, mode = 0o644): Promise<void> {
  const beside = await writeBeside(path, content, mode)
  try {
    await rename(beside, path)
  } catch (error) {
    await rm(beside, { force: true })
    throw error
  }
  await syncFolder(dirname(path))
}

/**
 * Makes a file that must not exist yet, with its whole content from the first moment on, and tells whether it was made: of any number of
 * callers, also on several machines that share the folder, exactly one gets `true`. By link(2), which NFS makes exclusive too.
 */
export async function createFile(path: string, content: string | Uint8Array, mode = 0o644): Promise<boolean> {
  const beside = await writeBeside(path, content, mode)
  try {
    await link(beside, path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  } finally {
    await rm(beside, { force: true })
  }
  await syncFolder(dirname(path))
  return true
}
