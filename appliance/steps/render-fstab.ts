import type { PlannedPartition } from '../../images/plan.ts'
import { byDepth } from './mount-target.ts'

const options = { ext4: 'errors=remount-ro', vfat: 'umask=0077' } as const

/** `/etc/fstab` of the installed system (fstab(5)), by filesystem UUID, so that it holds on any machine. */
export function renderFstab(partitions: readonly PlannedPartition[]): string {
  const lines = byDepth(partitions).map(({ mountPoint, filesystem, filesystemUuid }) =>
    [`UUID=${filesystemUuid}`, mountPoint, filesystem, options[filesystem], '0', mountPoint === '/' ? '1' : '2'].join(' '),
  )
  return `${lines.join('\n')}\n`
}
