import type { Logger } from 'pino'
import type { Plan } from '../../images/plan.ts'
import type { Status } from '../api/status.ts'
import type { Image, ImageStore } from '../image-store/open-image-store.ts'
import type { ProvingJobs } from '../jobs/proving-jobs.ts'
import { attachProof } from './attach-proof.ts'
import { describeBoot, Unproven, type Prove } from './prove.ts'

export interface PublishJobOptions {
  jobs: ProvingJobs
  images: ImageStore
  prove: Prove
  /** Vouches for an image that is about to be visible, by the digest of its proof record too; default nobody does. */
  attest?: (image: Image, built: { plan: Plan; status: Status; proof: string }) => Promise<void>
  /** Whether the image of a listed job may be in the store of another server, which then proves it. */
  mayBeElsewhere?: boolean
  log?: Logger
}

/** A job whose image is here, and what is to be made of it. */
export interface ReceivedJob {
  begun: Status
  plan: Plan
  image: Image
}

/** The proof is not wanted any more: its job was cancelled, removed or ended otherwise. */
export class Unwanted extends Error {}

/** The image that a job brought; nothing when it is another server's. Throws an `Unproven` when it is gone. */
export async function findReceived(begun: Status, { jobs, images, mayBeElsewhere = false }: Pick<PublishJobOptions, 'jobs' | 'images' | 'mayBeElsewhere'>): Promise<ReceivedJob | undefined> {
  const plan = await jobs.plan(begun.job)
  const { imageVersion, imageDigest = '' } = begun
  const name = plan.steps.find((step) => step.kind === 'image')?.image ?? ''
  const image = await images.received(name, imageVersion, imageDigest)
  if (image !== undefined) return { begun, plan, image }
  if (mayBeElsewhere) return undefined
  throw new Unproven({ message: `the image ${name}@${imageDigest} is not in the store any more` })
}

/**
 * Proves the image of a job, attaches what came of that, makes the image visible and ends the job, in this order. Throws an `Unproven` when the image is at
 * fault, an `Unwanted` when the job has ended meanwhile, and whatever keeps the host from proving it.
 */
export async function publishJob({ begun, plan, image }: ReceivedJob, signal: AbortSignal, options: PublishJobOptions): Promise<void> {
  const { jobs, images, prove, attest = async () => {}, log } = options
  const { job, imageVersion } = begun
  const { name, digest } = image
  // A server that was killed between the image becoming visible and the end of its job left it so.
  const visible = await images.registry.read(name, imageVersion)
  if (visible === undefined) {
    const proven = plan.proof === 'none' ? undefined : await prove(image, plan.proof, { job, signal, onEvent: followProof(begun, options) })
    signal.throwIfAborted()
    const proof = await attachProof(images.registry, image, proven)
    await attest(image, { plan, status: begun, proof })
    await images.makeVisible(name, imageVersion, digest, async () => {
      if (!(await jobs.isWanted(begun))) throw new Unwanted('the proof is not wanted any more')
    })
  }
  await jobs.perform(begun, visible?.digest ?? digest)
  log?.info({ job, image: name, version: imageVersion, proof: plan.proof === 'none' ? 'none' : 'booted' }, 'image is visible')
}

/** Puts down what a proof waits for, in order, and tells those who follow. */
function followProof(begun: Status, { jobs, log }: Pick<PublishJobOptions, 'jobs' | 'log'>): Parameters<Prove>[2]['onEvent'] {
  let last: Promise<void> = Promise.resolve()
  return (event, at) => {
    jobs.tell(begun, event, at?.boot)
    if (event.kind !== 'waiting') return
    const detail = at === undefined ? `waits for ${event.for}` : `${describeBoot(at.boot)}: waits for ${event.for}`
    const progress = { stepIndex: at?.index ?? 0, stepCount: at?.count ?? 1, step: 'proof', detail: detail.slice(0, 500) }
    last = last.then(() => jobs.progress(begun, progress)).catch((error: unknown) => log?.warn({ err: error, job: begun.job }, 'how far a proof is cannot be put down'))
  }
}
