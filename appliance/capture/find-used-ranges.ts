import type { Logger } from 'pino'
import { CommandError, type Run } from '../run.ts'
import { sizeOfRanges, type ByteRange } from './byte-range.ts'
import { findBtrfsUsed } from './filesystems/btrfs-used.ts'
import { findExtUsed } from './filesystems/ext-used.ts'
import { findFatUsed } from './filesystems/fat-used.ts'
import { findSwapUsed } from './filesystems/swap-used.ts'
import type { FindUsed, Used } from './filesystems/used.ts'
import { findXfsUsed } from './filesystems/xfs-used.ts'
import type { GptPartition } from './gpt.ts'

/** What tells the used ranges of a filesystem, by its type as blkid(8) has it. */
const finders: Readonly<Record<string, FindUsed>> = {
  ext2: findExtUsed,
  ext3: findExtUsed,
  ext4: findExtUsed,
  vfat: findFatUsed,
  xfs: findXfsUsed,
  btrfs: findBtrfsUsed,
  swap: findSwapUsed,
}

/** What a partition holds. */
export interface PartitionContents {
  /** As blkid(8) has it: `ext4`, `crypto_LUKS`; missing when nothing is known of it. */
  filesystem?: string
  /** Positions on the disk. */
  used: ByteRange[]
}

/**
 * Finds out what a partition holds and which of it is used: what its filesystem has allocated, told by the filesystem's own maps without reading its
 * data; the whole partition when it holds what we do not look into (LVM, LUKS, RAID, unknown), which the log says.
 * `device` is missing for a partition that the plan does not name.
 * Throws when the filesystem was not unmounted cleanly or does not fit its partition.
 */
export async function findUsedRanges(
  { name, number, startBytes, sizeBytes }: GptPartition,
  device: string | undefined,
  { run, log }: { run: Run; log: Logger },
): Promise<PartitionContents> {
  const filesystem = device === undefined ? undefined : await probe(device, run)
  const result = await findUsed(device, filesystem, sizeBytes, run)
  const about = { partition: name, number, sizeBytes, ...(filesystem === undefined ? {} : { filesystem }) }
  if ('wholeBecause' in result) {
    log.info({ ...about, reason: result.wholeBecause }, 'partition is captured whole')
    return { ...(filesystem === undefined ? {} : { filesystem }), used: [{ startBytes, endBytes: startBytes + sizeBytes }] }
  }
  const end = Math.max(...result.ranges.map((range) => range.endBytes))
  if (end > sizeBytes) throw new Error(`${device}: expected a filesystem of at most ${sizeBytes} bytes, got one that reaches ${end}`)
  log.info({ ...about, usedBytes: sizeOfRanges(result.ranges) }, 'partition is captured by its used blocks')
  const used = result.ranges.map((range) => ({ startBytes: startBytes + range.startBytes, endBytes: startBytes + range.endBytes }))
  return { ...(filesystem === undefined ? {} : { filesystem }), used }
}

async function findUsed(device: string | undefined, filesystem: string | undefined, sizeBytes: number, run: Run): Promise<Used> {
  if (device === undefined) return { wholeBecause: 'the plan does not name it' }
  if (filesystem === undefined) return { wholeBecause: 'nothing known was found on it' }
  const find = finders[filesystem]
  return find === undefined ? { wholeBecause: `${filesystem} is not looked into` } : find({ device, sizeBytes, run })
}

/** What lies on a device; undefined when blkid knows nothing of it or sees two things at once, for which it exits with 2 and 8. */
async function probe(device: string, run: Run): Promise<string | undefined> {
  try {
    return (await run('blkid', ['--probe', '--match-tag', 'TYPE', '--output', 'value', device])) || undefined
  } catch (error) {
    if (error instanceof CommandError && (error.exitCode === 2 || error.exitCode === 8)) return undefined
    throw error
  }
}
