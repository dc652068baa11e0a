import { chmod, chown, mkdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { resolveInRoot } from '../steps/resolve-in-root.ts'

export interface FileOwner {
  uid: number
  gid: number
}

/** Files of an installed system that is mounted somewhere, by the paths that they have in it: its symbolic links lead nowhere outside. */
export interface RootFiles {
  has(path: string): Promise<boolean>
  /** The text of a file; empty when there is none. */
  read(path: string): Promise<string>
  /** Replaces a file, or the link that stands there, with the folders that it needs. Default mode 0644, owner root. */
  write(path: string, text: string, options?: { mode?: number; owner?: FileOwner }): Promise<void>
  makeFolder(path: string, options: { mode: number; owner: FileOwner }): Promise<void>
}

const ifMissing =
  <Value>(value: Value) =>
  (error: NodeJS.ErrnoException): Value => {
    if (error.code === 'ENOENT') return value
    throw error
  }

export function openRootFiles(root: string): RootFiles {
  const outside = (path: string) => resolveInRoot(root, path)
  return {
    has: async (path) => stat(await outside(path)).then(() => true, ifMissing(false)),
    read: async (path) => readFile(await outside(path), 'utf8').catch(ifMissing('')),
    async write(path, text, { mode = 0o644, owner = { uid: 0, gid: 0 } } = {}) {
      const folder = await outside(dirname(path))
      await mkdir(folder, { recursive: true })
      const file = join(folder, basename(path))
      await rm(file, { force: true })
      await writeFile(file, text, { flag: 'wx', mode: 0o600 })
      await chown(file, owner.uid, owner.gid)
      await chmod(file, mode)
    },
    async makeFolder(path, { mode, owner }) {
      const folder = await outside(path)
      await mkdir(folder, { recursive: true })
      await chown(folder, owner.uid, owner.gid)
      await chmod(folder, mode)
    },
  }
}
