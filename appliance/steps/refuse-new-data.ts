import type { Disk } from '../../server/api/machine.ts'
import { reasonsNotToOverwrite, renderDisk } from './choose-disk.ts'
import type { StepContext } from './context.ts'

/** The inventory may be minutes old: asks the disk itself once more, right before it is written (F1). Throws when it holds what it must not lose. */
export async function refuseNewData(disk: Disk, { scratchSerials, run, signal }: Pick<StepContext, 'scratchSerials' | 'run' | 'signal'>): Promise<void> {
  const found = await run('wipefs', ['--no-act', '--noheadings', '--output', 'TYPE', disk.device], { signal })
  const contents = [...new Set(found.split('\n').map((line) => line.trim()))].filter((type) => type !== '')
  const data = reasonsNotToOverwrite({ ...disk, contents }, scratchSerials)
  if (data !== undefined) throw new Error(`${renderDisk(disk)} ${data}`)
}
