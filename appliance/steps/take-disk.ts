import type { DiskRule } from '../../images/plan.ts'
import type { Disk } from '../../server/api/machine.ts'
import { chooseDisk, renderDisk } from '../../server/api/choose-disk.ts'
import type { StepContext } from './context.ts'
import { refuseNewData } from './refuse-new-data.ts'

/** The one disk of this machine that the rule allows to be written, and that holds nothing it must not lose, now (F1). Throws why there is none. */
export async function takeDisk(rule: DiskRule, context: StepContext): Promise<Disk> {
  const choice = chooseDisk(context.inventory.disks, rule, context.scratchSerials)
  if ('refusal' in choice) throw new Error(choice.refusal)
  await refuseNewData(choice.disk, context)
  context.log.info({ disk: renderDisk(choice.disk) }, 'this disk is written')
  return choice.disk
}
