import { open } from 'node:fs/promises'
import type { StepOf } from '../../images/plan.ts'
import { chooseDisk, renderDisk } from '../../server/api/choose-disk.ts'
import type { StepContext, TargetDisk } from '../steps/context.ts'
import { mountTarget } from '../steps/mount-target.ts'
import { partitionDevice, waitForDevice } from '../steps/partition-device.ts'
import { digestState, readMark, type DiskMark } from './disk-mark.ts'
import { digestPlan } from './mark-capture.ts'

/**
 * Goes on where an earlier attempt of this very job lost its power while it sent the disk (F9): when the disk is as it was left, nothing is installed anew, and of
 * its chunks only those are sent that the first computer lacks. Returns how many steps are done by that; 0 when the job begins at its beginning.
 */
export async function resumeCapture(context: StepContext): Promise<number> {
  const { plan, job, inventory, log, run, signal } = context
  const [first] = plan.steps
  if (first?.kind !== 'partition') return 0
  // What it holds is what is looked for; it is not written before it has turned out to be of this job.
  const choice = chooseDisk(inventory.disks.map((disk) => ({ ...disk, contents: [] })), first.disk, [])
  if ('refusal' in choice) return 0
  const { device } = choice.disk
  const mark = await findMark(device, first)
  if (mark === undefined) return 0
  const at = plan.steps[mark.stepIndex]?.kind
  if (mark.job !== job || mark.plan !== digestPlan(plan) || (at !== 'snapshot' && at !== 'image')) {
    log.info({ disk: renderDisk(choice.disk), marked: mark.job }, 'this disk was left by another job')
    return 0
  }
  await run('partx', ['--update', device], { signal })
  const partitions = first.partitions.map((planned, index) => ({ ...planned, device: partitionDevice(device, index + 1) }))
  for (const partition of partitions) await waitForDevice(partition.device, signal)
  const target: TargetDisk = { device, layoutSizeBytes: first.diskSizeBytes, partitions }
  // Not written: what was sent of it shall still be what it holds.
  await mountTarget(target, context.root, run, { readOnly: true })
  context.disk = target
  log.info({ disk: renderDisk(choice.disk), steps: mark.stepIndex }, 'this disk is as an earlier attempt left it, and is captured from there')
  return mark.stepIndex
}

/** The mark on a disk that nobody has used since. */
async function findMark(device: string, layout: StepOf<'partition'>): Promise<DiskMark | undefined> {
  const disk = await open(device, 'r')
  try {
    const mark = await readMark(disk)
    return mark !== undefined && mark.state === (await digestState(disk, layout)) ? mark : undefined
  } finally {
    await disk.close()
  }
}
