import type { Emit } from '../event-log.ts'
import type { Image } from '../image-store/open-image-store.ts'
import type { JobService } from '../jobs/job-service.ts'
import type { Proofs } from './start-proofs.ts'

export interface ReceiveImageOptions {
  jobs: Pick<JobService, 'received'>
  proofs: Proofs
  emit: Emit
}

/** What happens once the image of a job is stored and read back: its worker is done, and the proof begins. Again by the same claim, it changes nothing. */
export const createReceiveImage =
  ({ jobs, proofs, emit }: ReceiveImageOptions) =>
  async (image: Image, job: string, claim: string): Promise<void> => {
    const { status, isNew } = await jobs.received(job, image.digest, claim)
    if (isNew) {
      const { config, layers } = image.manifest
      emit({
        machine: status.worker,
        hop: 'image',
        job,
        image: image.name,
        version: image.version,
        digest: image.digest,
        blobBytes: layers.reduce((sum, layer) => sum + layer.size, config.size),
        diskBytes: image.config.diskSizeBytes,
      })
    }
    await proofs.begin(status)
  }
