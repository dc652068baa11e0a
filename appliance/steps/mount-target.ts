import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { PlannedPartition } from '../../images/plan.ts'
import type { Run } from '../run.ts'
import type { TargetDisk } from './context.ts'

/** A partition that is mounted in the installed system. */
export type MountedPartition<Partition extends PlannedPartition> = Partition & Required<Pick<PlannedPartition, 'mountPoint' | 'filesystem' | 'filesystemUuid'>>

const isMounted = <Partition extends PlannedPartition>(partition: Partition): partition is MountedPartition<Partition> =>
  partition.mountPoint !== undefined && partition.filesystem !== undefined && partition.filesystemUuid !== undefined

/** The partitions that are mounted, each after what it is mounted on: `/`, `/boot`, `/boot/efi`. */
export const byDepth = <Partition extends PlannedPartition>(partitions: readonly Partition[]): MountedPartition<Partition>[] =>
  partitions.filter(isMounted).sort((a, b) => depth(a.mountPoint) - depth(b.mountPoint))

const depth = (path: string) => path.split('/').filter((part) => part !== '').length

/** Mounts the partitions of the installed system at `root`, which `unmountTree` undoes. */
export async function mountTarget({ partitions }: TargetDisk, root: string, run: Run): Promise<void> {
  for (const { device, mountPoint, filesystem } of byDepth(partitions)) {
    const path = join(root, mountPoint)
    await mkdir(path, { recursive: true })
    await run('mount', ['-t', filesystem, device, path])
  }
}
