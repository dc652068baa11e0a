import { join } from 'node:path'
import { mediaTypes } from '../../server/api/media-types.ts'
import { layTarget } from '../layers/lay-target.ts'
import { readImage } from '../restore/read-image.ts'
import { captureTarget } from './capture-target.ts'
import type { StepContext, StepExecutor } from './context.ts'
import { emptyFolder } from './empty-folder.ts'
import { mountTarget } from './mount-target.ts'
import { takeDisk } from './take-disk.ts'

/** What apt fetched for the steps before: gone from the image in any case, and no part of what is kept. */
const fetched = ['var/lib/apt/lists', 'var/cache/apt']

/**
 * Keeps the disk as it is on the first computer, and goes on with it in such a way that what is written from now on is known: the image is then made of what is
 * kept and of that, without reading all of the disk a second time.
 */
export const snapshot: StepExecutor<'snapshot'> = async (step, context) => {
  const { image, tag } = step
  const { plan, disk, root, server, run, log } = context
  for (const path of fetched) await emptyFolder(join(root, path))
  const { figures, manifest, config } = await captureTarget(
    { stepIndex: plan.steps.indexOf(step), image, artifactType: mediaTypes.snapshot, publish: (bytes, signal) => server.pushSnapshot(image, tag, bytes, signal) },
    context,
  )
  log.info({ image, tag, ...figures }, 'the result of the steps so far is kept')
  if (disk?.layered === undefined) {
    await layTarget({ device: disk!.device, sizeBytes: disk!.layoutSizeBytes, image, manifest, config, isFilled: true }, context)
  } else {
    await disk.layered.changed({ forget: true })
    context.disk = { ...disk, layered: { ...disk.layered, layers: manifest.layers } }
    await mountTarget(disk, root, run)
  }
}

/** Starts from what an earlier job of the same first steps kept, if it is there. Returns how many steps are done by that. */
export async function startFromSnapshot(context: StepContext): Promise<number> {
  const { plan, server, signal, log } = context
  const index = plan.steps.findIndex(({ kind }) => kind === 'snapshot')
  const step = plan.steps[index]
  const [first] = plan.steps
  if (step?.kind !== 'snapshot' || (first?.kind !== 'partition' && first?.kind !== 'start-from')) return 0
  const digest = await server.findSnapshot(step.image, step.tag, signal)
  if (digest === undefined) return 0
  context.progress({ detail: `starting from the kept result of the first ${index} steps` })
  const image = await readImage(server, { image: step.image, digest }, signal)
  const { device } = await takeDisk({ rule: first.disk }, context)
  await layTarget({ ...image, device, sizeBytes: first.diskSizeBytes, image: step.image, isFilled: false }, context)
  log.info({ image: step.image, tag: step.tag, steps: index }, 'started from the kept result of the first steps')
  return index + 1
}
