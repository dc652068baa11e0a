import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { Run } from '../run.ts'
import type { SystemPartition } from './context.ts'

/** A partition of an installed system, for example `{ device: '/dev/vda3', filesystem: 'ext4', mountPoint: '/' }`. */
export interface InstalledPartition {
  device: string
  filesystem?: string
  mountPoint?: string
}

/** A partition that is mounted in the installed system. */
export type MountedPartition<Partition extends SystemPartition> = Partition & Required<Pick<SystemPartition, 'mountPoint' | 'filesystem' | 'filesystemUuid'>>

const isMounted = <Partition extends SystemPartition>(partition: Partition): partition is MountedPartition<Partition> =>
  partition.mountPoint !== undefined && partition.filesystem !== undefined && partition.filesystemUuid !== undefined

/** The partitions that are mounted, each after what it is mounted on: `/`, `/boot`, `/boot/efi`. */
export const byDepth = <Partition extends SystemPartition>(partitions: readonly Partition[]): MountedPartition<Partition>[] =>
  partitions.filter(isMounted).sort((a, b) => depth(a.mountPoint) - depth(b.mountPoint))

const depth = (path: string) => path.split('/').filter((part) => part !== '').length

/** Mounts the partitions of the installed system that have a place there at `root`, which `unmountTree` undoes. */
export async function mountTarget(
  { partitions }: { partitions: readonly InstalledPartition[] },
  root: string,
  run: Run,
  { readOnly = false }: { readOnly?: boolean } = {},
): Promise<void> {
  const mounted = partitions.flatMap(({ device, mountPoint, filesystem }) => (mountPoint === undefined || filesystem === undefined ? [] : [{ device, mountPoint, filesystem }]))
  for (const { device, mountPoint, filesystem } of mounted.sort((a, b) => depth(a.mountPoint) - depth(b.mountPoint))) {
    const path = join(root, mountPoint)
    await mkdir(path, { recursive: true })
    await run('mount', [...(readOnly ? ['--read-only'] : []), '-t', filesystem, device, path])
  }
}
