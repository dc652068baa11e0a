import { mkdtemp, rmdir } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ImageConfig } from '../../server/api/image.ts'
import type { GptPartition } from '../capture/gpt.ts'
import { CommandError, type Run } from '../run.ts'
import { partitionDevice, waitForDevice } from '../steps/partition-device.ts'
import { readPartitions } from './show-partitions.ts'

const mib = 1024 * 1024

export interface GrowOptions {
  /** A whole disk that the image was written to, for example `/dev/vda`. */
  device: string
  config: Pick<ImageConfig, 'diskSizeBytes' | 'sectorBytes' | 'partitions'>
  run: Run
  signal: AbortSignal
}

/** What was grown: a partition and its filesystem from one size to another; nothing when the disk has the size of the image. */
export interface Grown {
  device: string
  name: string
  fromBytes: number
  toBytes: number
}

/**
 * Lets an image use all of a larger disk: the backup partition table moves to the end, and the last partition with its filesystem grows up to it.
 * A last partition that holds something else than ext4, xfs or btrfs keeps its size.
 */
export async function growDisk({ device, config, run, signal }: GrowOptions): Promise<Grown | undefined> {
  const diskSizeBytes = Number(await run('blockdev', ['--getsize64', device], { signal }))
  if (diskSizeBytes === config.diskSizeBytes) return undefined
  await run('sfdisk', ['--no-reread', '--relocate', 'gpt-bak-std', device], { signal })

  const last = await lastPartition(device, config.sectorBytes)
  const filesystem = config.partitions.find(({ startBytes }) => startBytes === last.startBytes)?.filesystem ?? ''
  const grow = growers[filesystem]
  // As in the layout of an image: whole MiB, the last one left to the backup partition table.
  const sizeBytes = (Math.floor((diskSizeBytes - last.startBytes) / mib) - 1) * mib
  if (grow === undefined || sizeBytes <= last.sizeBytes) return undefined

  await run('sfdisk', ['--no-reread', '--quiet', '--partno', String(last.number), device], { input: `, ${sizeBytes / config.sectorBytes}\n`, signal })
  await run('partx', ['--update', device], { signal })
  const partition = partitionDevice(device, last.number)
  await waitForDevice(partition, signal)
  await grow(partition, run, signal)
  return { device: partition, name: last.name, fromBytes: last.sizeBytes, toBytes: sizeBytes }
}

const lastPartition = async (device: string, sectorBytes: number): Promise<GptPartition> =>
  (await readPartitions(device, sectorBytes)).reduce((last, each) => (each.startBytes > last.startBytes ? each : last))

type Grow = (partition: string, run: Run, signal: AbortSignal) => Promise<unknown>

async function growExt(partition: string, run: Run, signal: AbortSignal): Promise<void> {
  // resize2fs asks for a check first. It exits with 1 when it set something right, such as a time of check that lies in the future (e2fsck(8)).
  await run('e2fsck', ['-f', '-p', partition], { signal }).catch((error: unknown) => {
    if (!(error instanceof CommandError && error.exitCode === 1)) throw error
  })
  await run('resize2fs', [partition], { signal })
}

/** Grows a filesystem that only grows while it is mounted. */
const growMounted =
  (filesystem: string, command: (mountPoint: string) => readonly [string, ...string[]]): Grow =>
  async (partition, run, signal) => {
    const mountPoint = await mkdtemp(join(tmpdir(), 'ingot-grow-'))
    try {
      await run('mount', ['-t', filesystem, partition, mountPoint], { signal })
      try {
        const [program, ...args] = command(mountPoint)
        await run(program, args, { signal })
      } finally {
        await run('umount', [mountPoint])
      }
    } finally {
      await rmdir(mountPoint)
    }
  }

const growers: Readonly<Record<string, Grow>> = {
  ext2: growExt,
  ext3: growExt,
  ext4: growExt,
  xfs: growMounted('xfs', (mountPoint) => ['xfs_growfs', '-d', mountPoint]),
  btrfs: growMounted('btrfs', (mountPoint) => ['btrfs', 'filesystem', 'resize', 'max', mountPoint]),
}
