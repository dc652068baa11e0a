import type { Filesystem } from '../../images/plan.ts'
import type { SystemPartition } from './context.ts'
import { byDepth } from './mount-target.ts'

const options: Record<Filesystem, string> = { ext4: 'errors=remount-ro', xfs: 'defaults', btrfs: 'defaults', vfat: 'umask=0077' }

/** The order of checks at boot, 0 for none: xfs and btrfs have journals of their own and no checker that could run then (fsck.xfs(8), btrfs-check(8)). */
const checkOrder = (filesystem: Filesystem, mountPoint: string): string => (filesystem === 'xfs' || filesystem === 'btrfs' ? '0' : mountPoint === '/' ? '1' : '2')

/** `/etc/fstab` of the installed system (fstab(5)), by filesystem UUID, so that it holds on any machine. */
export function renderFstab(partitions: readonly SystemPartition[]): string {
  const lines = byDepth(partitions).map(({ mountPoint, filesystem, filesystemUuid }) =>
    [`UUID=${filesystemUuid}`, mountPoint, filesystem, options[filesystem], '0', checkOrder(filesystem, mountPoint)].join(' '),
  )
  return `${lines.join('\n')}\n`
}
