import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { Disk } from '../../server/api/machine.ts'
import type { Run } from '../run.ts'
import { readContents } from './read-contents.ts'
import { readUses } from './read-uses.ts'
import { readIdentity } from './read-identity.ts'

/**
 * Names of the kernel that whole disks have. What is built upon disks or stands for none (dm, md, bcache, drbd, nbd, rbd, zd, loop, zram, sr, fd, boot areas
 * of eMMC) is nothing that a job could write: a list of those would miss the next driver.
 */
const diskName = /^(sd[a-z]+|hd[a-z]+|vd[a-z]+|xvd[a-z]+|nvme\d+n\d+|mmcblk\d+)$/

export interface ReadDisksOptions {
  run: Run
  /** `/sys` but in tests. */
  sysDirectory?: string
}

/** Every disk of this machine as it is now, in the order of their device names. */
export async function readDisks(options: ReadDisksOptions): Promise<Disk[]> {
  const names = (await readdir(join(options.sysDirectory ?? '/sys', 'block'))).filter((name) => diskName.test(name)).toSorted()
  return Promise.all(names.map((name) => readDisk(name, options)))
}

/**
 * One block device, for example `sda`, with all that decides whether it may be written (F1). Nothing is written to it. What cannot be read is told in `unfit`,
 * never taken for empty.
 */
export async function readDisk(name: string, { run, sysDirectory = '/sys' }: ReadDisksOptions): Promise<Disk> {
  const folder = join(sysDirectory, 'block', name)
  const identity = await readIdentity(name, folder)
  // A drive without a medium cannot be opened, and is refused for that.
  if (identity.sizeBytes === 0) return { ...identity, contents: [] }
  const partitions = (await readdir(folder)).filter((entry) => entry.startsWith(name)).toSorted((a, b) => a.localeCompare(b, 'en', { numeric: true }))
  const uses = await readUses([name, ...partitions], folder)
  const { contents, fault } = await readContents([name, ...partitions], identity.sizeBytes, run)
  const unfit = [...(identity.unfit ?? []), ...uses, ...(fault === undefined ? [] : [fault])]
  return { ...identity, contents, ...(unfit.length === 0 ? {} : { unfit }) }
}
