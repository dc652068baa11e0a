import { constants, open, readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parseMountInfo } from '../capture/unmount-tree.ts'

/**
 * What uses a disk or a partition of it now, in words, for example `is mounted at /srv` or `is part of md0`. `names` are the disk and its partitions, `folder`
 * is that of the disk in sysfs. The kernel gives a disk exclusively (O_EXCL, open(2)) only while nothing uses any part of it, which covers what the words do not.
 */
export async function readUses(names: readonly string[], folder: string): Promise<string[]> {
  const [disk = '', ...partitions] = names
  const devices = names.map((name) => `/dev/${name}`)
  const folders = [folder, ...partitions.map((name) => join(folder, name))]
  const holders = await Promise.all(folders.map((each) => readdir(join(each, 'holders')).catch((): string[] => [])))
  const numbers = await Promise.all(folders.map((each) => readFile(join(each, 'dev'), 'utf8').then((text) => text.trim(), () => '')))
  const mounts = parseMountInfo(await readFile('/proc/self/mountinfo', 'utf8')).filter(({ number, source }) => numbers.includes(number) || devices.includes(source))
  const swaps = (await readFile('/proc/swaps', 'utf8')).split('\n').flatMap((line) => line.split(/\s/)[0] ?? []).filter((path) => devices.includes(path))
  const uses = [
    ...holders.flat().map((holder) => `is part of ${holder}`),
    ...mounts.map(({ mountPoint }) => `is mounted at ${mountPoint}`),
    ...swaps.map((path) => `is swap space in use (${path})`),
  ]
  return uses.length === 0 && (await isTaken(`/dev/${disk}`)) ? ['is in use'] : [...new Set(uses)]
}

/** What cannot be opened for another reason cannot be read either, and is refused for that. */
async function isTaken(device: string): Promise<boolean> {
  try {
    await (await open(device, constants.O_RDONLY | constants.O_EXCL)).close()
    return false
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EBUSY'
  }
}
