import { createHash } from 'node:crypto'
import { open } from 'node:fs/promises'
import type { Plan } from '../../images/plan.ts'
import type { StepContext } from '../steps/context.ts'
import type { Patch } from '../capture/gpt.ts'
import { clearMark, digestState, hasRoomForMark, markPlace, writeMark } from './disk-mark.ts'

/** Of the plan as it is stored, for example to tell whether two attempts have the same. */
export const digestPlan = (plan: Plan): string => `sha256:${createHash('sha256').update(JSON.stringify(plan)).digest('hex')}`

/** A disk that is marked, or that cannot be. */
export interface MarkedDisk {
  /** What the image has in place of the mark. */
  patches: Patch[]
  /** Takes the mark away, when the step is done. */
  unmark: () => Promise<void>
}

const unmarked: MarkedDisk = { patches: [], unmark: async () => {} }

/**
 * Marks the target disk as ready to be captured by a step of the plan: `resumeCapture` of a later attempt on the same machine goes on from there. A disk that
 * does not hold all of its system by itself, because it lies over an image, is left alone.
 */
export async function markCapture(stepIndex: number, { disk, job, plan }: Pick<StepContext, 'disk' | 'job' | 'plan'>): Promise<MarkedDisk> {
  const device = disk?.layered === undefined ? disk?.device : disk.layered.filledDevice
  if (disk === undefined || device === undefined || stepIndex < 0 || plan.steps[0]?.kind !== 'partition') return unmarked
  const handle = await open(device, 'r')
  try {
    if (!(await hasRoomForMark(handle, disk))) return unmarked
    await writeMark(device, { job, plan: digestPlan(plan), stepIndex, state: await digestState(handle, disk) })
  } finally {
    await handle.close()
  }
  return { patches: [{ startBytes: markPlace.startBytes, bytes: Buffer.alloc(markPlace.lengthBytes) }], unmark: () => clearMark(device) }
}
