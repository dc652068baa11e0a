import { readImage } from '../restore/read-image.ts'
import { showPartitions } from '../restore/show-partitions.ts'
import { restoreImage } from '../restore/restore-image.ts'
import { chooseDisk, renderDisk } from '../../server/api/choose-disk.ts'
import type { StepContext, StepExecutor } from './context.ts'
import { refuseNewData } from './refuse-new-data.ts'

/**
 * Writes an image onto the disk that the rule allows (F1) and reads it back from there (F2). Nothing is written unless the image is for a machine like this
 * one and all of it that says what to write is at hand.
 */
export const writeImage: StepExecutor<'write-image'> = async (step, context) => {
  const { inventory, scratchSerials, server, run, signal, log } = context
  refuseOtherMachine(step, context)
  const choice = chooseDisk(inventory.disks, step.disk, scratchSerials)
  if ('refusal' in choice) throw new Error(choice.refusal)
  const { disk } = choice
  if (disk.logicalSectorBytes !== step.sectorBytes) {
    throw new Error(`${renderDisk(disk)}: expected sectors of ${step.sectorBytes} bytes, for which ${step.image}:${step.version} was made, got ${disk.logicalSectorBytes}`)
  }
  const image = await readImage(server, step, signal)
  await refuseNewData(disk, context)

  log.info({ disk: renderDisk(disk), image: step.image, version: step.version }, 'this disk is written')
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

function refuseOtherMachine({ image, version }: { image: string; version: string }, { plan, inventory }: StepContext): void {
  const { architecture, firmware } = plan
  if (inventory.architecture !== architecture) throw new Error(`${image}:${version} is for ${architecture}: expected a machine of that architecture, got ${inventory.architecture}`)
  if (!firmware.includes(inventory.firmware)) throw new Error(`${image}:${version} boots with ${firmware.join(' and ')} only: expected a machine started by that, got ${inventory.firmware}`)
}
