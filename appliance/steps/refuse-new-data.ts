import type { Disk } from '../../server/api/machine.ts'
import { reasonsToKeep, renderDisk } from '../../server/api/choose-disk.ts'
import type { StepContext } from './context.ts'

/** The inventory may be minutes old: asks the disk itself once more, right before it is written (F1). Throws when it holds what it must not lose. */
export async function refuseNewData(disk: Disk, { inventory, scratchSerials, run, signal }: Pick<StepContext, 'inventory' | 'scratchSerials' | 'run' | 'signal'>): Promise<void> {
  const found = await run('wipefs', ['--no-act', '--noheadings', '--output', 'TYPE', disk.device], { signal })
  const contents = [...new Set(found.split('\n').map((line) => line.trim()))].filter((type) => type !== '')
  const kept = reasonsToKeep({ ...disk, contents }, inventory.disks, scratchSerials)
  if (kept.length > 0) throw new Error(`${renderDisk(disk)} ${kept.join(', ')}`)
}
