import { readFile, readlink } from 'node:fs/promises'
import { join } from 'node:path'
import { walkTree } from './walk-tree.ts'

/** One entry of an archive; `path` without a leading slash, for example `etc/hosts`. */
export interface CpioEntry {
  path: string
  /** File type and permissions as in stat(2), for example `0o100755`. */
  mode: number
  /** Bytes of a file, or the target of a symbolic link. */
  content?: Buffer
  /** Major and minor number of a device node. */
  device?: readonly [number, number]
}

const directoryMode = 0o040755
const symlinkMode = 0o120777
const characterDeviceMode = 0o020600

/** The kernel writes the output of /init here before devtmpfs is mounted, so the archive must hold it. */
export const consoleEntries: CpioEntry[] = [
  { path: 'dev', mode: directoryMode },
  { path: 'dev/console', mode: characterDeviceMode, device: [5, 1] },
]

/**
 * An archive in the `newc` format that the kernel unpacks (Linux, Documentation/driver-api/early-userspace/buffer-format.rst). Owner 0, time 0
 * and inode numbers by position, so that equal entries give equal bytes; and no need to be root to store a device node.
 */
export function renderCpio(entries: readonly CpioEntry[]): Buffer {
  const trailer: CpioEntry = { path: 'TRAILER!!!', mode: 0 }
  const parts = [...entries, trailer].flatMap(({ path, mode, content = Buffer.alloc(0), device = [0, 0] }, index) => {
    const name = Buffer.from(`${path}\0`)
    const links = 1
    const fields = [index + 1, mode, 0, 0, links, 0, content.length, 0, 0, ...device, name.length, 0]
    const header = Buffer.from(`070701${fields.map((field) => field.toString(16).padStart(8, '0')).join('')}`)
    return [header, name, padding(header.length + name.length), content, padding(content.length)]
  })
  return Buffer.concat(parts)
}

const padding = (length: number): Buffer => Buffer.alloc(-length & 3)

/** The entries of a directory tree, parents first and sorted by name; permissions as on disk. */
export async function readCpioEntries(root: string): Promise<CpioEntry[]> {
  const entries: CpioEntry[] = []
  for await (const { path, stats } of walkTree(root)) {
    const file = join(root, path)
    if (stats.isDirectory()) entries.push({ path, mode: directoryMode })
    else if (stats.isSymbolicLink()) entries.push({ path, mode: symlinkMode, content: Buffer.from(await readlink(file)) })
    else entries.push({ path, mode: stats.mode, content: await readFile(file) })
  }
  return entries
}
