import type { Filesystem, PlannedPartition } from '../../images/plan.ts'
import type { Run } from '../run.ts'
import { renderDisk } from '../../server/api/choose-disk.ts'
import type { StepExecutor, TargetDisk } from './context.ts'
import { mountTarget } from './mount-target.ts'
import { partitionDevice, waitForDevice } from './partition-device.ts'
import { renderSfdisk } from './render-sfdisk.ts'
import { takeDisk } from './take-disk.ts'

/** Chooses the disk, writes its partition table and filesystems, and mounts them at the context's root. Nothing is written unless the disk rule allows it (F1). */
export const partition: StepExecutor<'partition'> = async (step, context) => {
  const { run, signal } = context
  const disk = await takeDisk({ rule: step.disk }, context)
  context.progress({ detail: `partitioning ${renderDisk(disk)}` })
  // What no partition covers is imaged as it is, so it must not hold what an earlier use of a scratch disk left there.
  await run('blkdiscard', ['--zeroout', '--offset', '0', '--length', String(1024 * 1024), disk.device], { signal })
  await run('sfdisk', ['--wipe', 'always', '--wipe-partitions', 'always', disk.device], {
    input: renderSfdisk(step, disk.logicalSectorBytes),
    signal,
  })
  // Tells the kernel of each partition by itself: one whose disk was in use may not have read the new table, and not every kernel knows GPT.
  await run('partx', ['--update', disk.device], { signal })
  const partitions = step.partitions.map((planned, index) => ({ ...planned, device: partitionDevice(disk.device, index + 1) }))
  const target: TargetDisk = { device: disk.device, layoutSizeBytes: step.diskSizeBytes, partitions }
  for (const { device } of partitions) await waitForDevice(device, signal)
  for (const planned of partitions) {
    context.progress({ detail: `making ${planned.filesystem ?? 'empty'} ${planned.name}` })
    await makeFilesystem(planned, run, signal)
  }
  await mountTarget(target, context.root, run)
  context.disk = target
}

async function makeFilesystem({ device, filesystem, filesystemUuid }: PlannedPartition & { device: string }, run: Run, signal: AbortSignal): Promise<void> {
  if (filesystem === undefined || filesystemUuid === undefined) {
    // Imaged whole: see above.
    await run('blkdiscard', ['--zeroout', device], { signal })
  } else {
    const [program, ...args] = mkfsCommand[filesystem](filesystemUuid)
    await run(program, [...args, device], { signal })
  }
}

/** What makes each filesystem, the device left out. Identifiers come from the plan, so that two builds of a recipe are more alike. */
const mkfsCommand: Record<Filesystem, (uuid: string) => readonly [string, ...string[]]> = {
  // Inode tables and journal are written now: the kernel would do so later, at a moment of its own.
  ext4: (uuid) => ['mke2fs', '-q', '-F', '-t', 'ext4', '-U', uuid, '-E', `hash_seed=${uuid},lazy_itable_init=0,lazy_journal_init=0`],
  xfs: (uuid) => ['mkfs.xfs', '-q', '-f', '-m', `uuid=${uuid}`],
  btrfs: (uuid) => ['mkfs.btrfs', '--quiet', '--force', '--uuid', uuid],
  // FAT32 as UEFI asks of a fixed disk's system partition (UEFI 2.10, 13.3).
  vfat: (uuid) => ['mkfs.fat', '-F', '32', '--invariant', '-i', uuid.replace('-', '')],
}
