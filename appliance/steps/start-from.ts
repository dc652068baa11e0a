import { layTarget } from '../layers/lay-target.ts'
import { readImage } from '../restore/read-image.ts'
import type { StepExecutor } from './context.ts'
import { takeDisk } from './take-disk.ts'

/** Starts from an image of the first computer, of which only what is needed is fetched, when it is needed. */
export const startFrom: StepExecutor<'start-from'> = async (step, context) => {
  context.progress({ detail: `starting from ${step.image}:${step.version}` })
  const image = await readImage(context.server, step, context.signal)
  const { device } = await takeDisk({ rule: step.disk }, context)
  await layTarget({ ...image, device, sizeBytes: step.diskSizeBytes, image: step.image, isFilled: false }, context)
}
