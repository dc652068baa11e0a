import { readFile } from 'node:fs/promises'
import type { Run } from '../run.ts'

export interface Mount {
  mountPoint: string
  /** What is mounted, for example `/dev/vda3`. */
  source: string
  /** Major and minor number of the device, for example `8:1`; of a filesystem without one device, one made up. */
  number: string
}

/** Reads `/proc/self/mountinfo`, whose octal escapes stand for white space (proc(5)), in the order of mounting. */
export function parseMountInfo(text: string): Mount[] {
  const unescape = (field = '') => field.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(parseInt(octal, 8)))
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const [before, after] = line.split(' - ')
      return { mountPoint: unescape(before?.split(' ')[4]), source: unescape(after?.split(' ')[1]), number: before?.split(' ')[2] ?? '' }
    })
}

const readMounts = async (): Promise<Mount[]> => parseMountInfo(await readFile('/proc/self/mountinfo', 'utf8'))

/**
 * Unmounts everything at and below `root`, innermost first, and makes sure that none of `devices` is mounted anywhere any more.
 * Throws when something is still in use.
 */
export async function unmountTree(root: string, { devices, run }: { devices: readonly string[]; run: Run }): Promise<void> {
  const below = (await readMounts()).filter(({ mountPoint }) => mountPoint === root || mountPoint.startsWith(`${root}/`))
  for (const { mountPoint } of below.reverse()) await run('umount', [mountPoint])
  const left = (await readMounts()).find(({ source }) => devices.includes(source))
  if (left !== undefined) throw new Error(`${left.source}: expected it unmounted before it is imaged, got it mounted at ${left.mountPoint}`)
}
