import { renderDisk } from '../../server/api/choose-disk.ts'
import { judgeTarget, type DiskTarget } from '../../server/api/disk-plan.ts'
import type { Disk } from '../../server/api/machine.ts'
import type { StepContext } from './context.ts'

/**
 * The one disk of this machine that a job may write (F1). It is chosen twice by the same rule, from what the first computer was told of and from the disks as
 * they are now, right before they are written: the inventory may be days old, and a disk may have been plugged in, filled or taken since. Both choices must be
 * the same disk under the same name. Throws, having written nothing, which disks were seen and why none is written.
 */
export async function takeDisk(target: DiskTarget, { inventory, scratchSerials, readDisks, log }: StepContext): Promise<Disk> {
  const [told, now] = [inventory.disks, await readDisks()].map((disks) => judgeTarget({ inventory: { ...inventory, disks }, scratchSerials }, target))
  for (const judged of [told!, now!]) if ('refusal' in judged) throw new Error(judged.refusal)
  const [before, disk] = [told, now].map((judged) => (judged as { disk: Disk }).disk) as [Disk, Disk]
  const changed = identity.find((field) => before[field] !== disk[field])
  if (changed !== undefined) {
    throw new Error(`${renderDisk(disk)}: its ${changed} is ${disk[changed]}, expected that of the disk that the first computer was told of, ${before[changed]} (${renderDisk(before)})`)
  }
  log.info({ disk: renderDisk(disk), holds: disk.contents }, 'this disk is written')
  return disk
}

/** What must not differ between the disk that was told of and the one that is there. */
const identity = ['device', 'serial', 'wwn', 'model', 'sizeBytes', 'logicalSectorBytes', 'transport'] as const satisfies readonly (keyof Disk)[]
