import { readImage } from '../restore/read-image.ts'
import { showPartitions } from '../restore/show-partitions.ts'
import { restoreImage } from '../restore/restore-image.ts'
import type { StepExecutor } from './context.ts'
import { takeDisk } from './take-disk.ts'

/**
 * Writes an image onto the disk that the rule allows (F1) and reads it back from there (F2). Nothing is written unless the image is for a machine like this
 * one and all of it that says what to write is at hand.
 */
export const writeImage: StepExecutor<'write-image'> = async (step, context) => {
  const { plan, server, run, signal, log } = context
  const { image: name, version, sectorBytes } = step
  const image = await readImage(server, step, signal)
  const disk = await takeDisk({ rule: step.disk, image: { name, version, architecture: plan.architecture, firmware: plan.firmware, sectorBytes } }, context)
  const written = await restoreImage({
    ...image,
    path: disk.device,
    readBlob: (digest, until) => server.readBlob(step.image, digest, until),
    run,
    signal,
    onProgress: context.progress,
  })
  const partitions = await showPartitions({ device: disk.device, config: image.config, run, signal })
  context.written = { device: disk.device, config: image.config, partitions }
  log.info({ image: step.image, version: step.version, ...written }, 'the image is on the disk and reads back right')
}
