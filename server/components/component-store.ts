import { createHash, randomBytes } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { mkdir, open, rename, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import type { ComponentRef } from '../../images/component.ts'

/** Components by their digest, each once: `<directory>/sha256/<hex>`. */
export interface ComponentStore {
  /** Keeps what `source` yields and tells its digest and size. Nothing is visible under its digest until it is whole and on disk. */
  add(name: string, source: AsyncIterable<Uint8Array> | Iterable<Uint8Array>): Promise<ComponentRef>
  /** Size in bytes, or undefined when there is no such component. */
  sizeBytes(digest: string): Promise<number | undefined>
  /** Its bytes; throws `ENOENT` when there is no such component. */
  open(digest: string): Readable
  /** Path of its file, for programs that read it themselves. */
  path(digest: string): string
  /** Reads it whole and tells whether it is there and right. */
  verify(ref: ComponentRef): Promise<boolean>
}

/** A store of components in a directory, which is made at need. Throws a `TypeError` for what is not a sha256 digest. */
export function createComponentStore(directory: string): ComponentStore {
  const folder = join(directory, 'sha256')
  const path = (digest: string) => join(folder, hexOf(digest))
  const sizeBytes = async (digest: string) => {
    try {
      return (await stat(path(digest))).size
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
      throw error
    }
  }

  return {
    path,
    sizeBytes,
    open: (digest) => createReadStream(path(digest)),

    async add(name, source) {
      await mkdir(folder, { recursive: true })
      const beside = join(folder, `${randomBytes(6).toString('hex')}.tmp`)
      try {
        const written = await writeHashed(beside, source)
        await rename(beside, path(written.digest))
        await syncDirectory(folder)
        return { name, ...written }
      } catch (error) {
        await rm(beside, { force: true })
        throw error
      }
    },

    async verify(ref) {
      if ((await sizeBytes(ref.digest)) !== ref.sizeBytes) return false
      const hash = createHash('sha256')
      for await (const bytes of createReadStream(path(ref.digest))) hash.update(bytes)
      return `sha256:${hash.digest('hex')}` === ref.digest
    },
  }
}

/** The digest becomes a file name, and it may come from a URL. */
function hexOf(digest: string): string {
  const match = /^sha256:([0-9a-f]{64})$/.exec(digest)
  if (match === null) throw new TypeError(`expected a digest like sha256:9f86d0…, got ${digest}`)
  return match[1]!
}

async function writeHashed(path: string, source: AsyncIterable<Uint8Array> | Iterable<Uint8Array>): Promise<{ digest: string; sizeBytes: number }> {
  const hash = createHash('sha256')
  let sizeBytes = 0
  const file = await open(path, 'wx', 0o644)
  try {
    for await (const bytes of source) {
      hash.update(bytes)
      sizeBytes += bytes.byteLength
      await file.writeFile(bytes)
    }
    await file.sync()
  } finally {
    await file.close()
  }
  return { digest: `sha256:${hash.digest('hex')}`, sizeBytes }
}

async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, 'r')
  try {
    await directory.sync()
  } finally {
    await directory.close()
  }
}
