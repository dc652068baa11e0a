import type { UseOf } from '../image-store/open-image-store.ts'
import type { JobStore } from './job-store.ts'

/** What keeps a version of an image from being removed: a job on the list that deploys it or starts from it. */
export const createUseOf =
  (store: Pick<JobStore, 'list' | 'plan'>): UseOf =>
  async ({ name, version, digest }) => {
    for (const { job } of await store.list()) {
      if (job.deploy === undefined) {
        const base = (await store.plan(job.id))?.steps.find((step) => step.kind === 'start-from')
        if (base?.image === name && base.digest === digest) return `job ${job.id} starts from it`
        continue
      }
      if (job.deploy.image !== name) continue
      const written = (await store.plan(job.id))?.steps.find((step) => step.kind === 'write-image')
      const wanted = written?.digest ?? job.deploy.version
      if (wanted === digest || wanted === version) return `job ${job.id} deploys it`
    }
    return undefined
  }
