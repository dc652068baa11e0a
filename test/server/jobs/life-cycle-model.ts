import type { Job } from '../../../server/api/job.ts'
import type { JobService } from '../../../server/jobs/job-service.ts'

/** A claim as the model knows it. */
export interface ModelClaim {
  token: string
  worker: string
  claimedAt: number
  heardAt: number
}

/** A job of the list as it should be. */
export interface ModelJob {
  job: Job
  state: 'free' | 'held' | 'proving' | 'failed' | 'cancelled'
  /** Of the claim that holds it, or held it until its image was received. */
  claim?: ModelClaim
  /** Attempts that have ended since it was added or retried. */
  lost: number
  /** The tokens of claims that ended so that it was free again; none of them gets it once more. */
  spent: string[]
  /** Before this moment nobody may take it. */
  notBefore: number
}

/** The whole of what the list promises, as one would explain it at a blackboard. Times are milliseconds of the test's clock. */
export interface Model {
  now: number
  /** In the user's order. */
  jobs: ModelJob[]
  /** Ids of performed jobs, in the order in which they were performed; an id may be performed again under a new version. */
  performed: string[]
  /** The claim that performed the last job of an id that left the list, unless that was removed. */
  performedBy: Map<string, string>
  /** Every claim that was ever made, with its job; those that do not hold it any more are refused. */
  claims: { id: string; token: string }[]
  /** Since when each server watches. */
  upSince: number[]
}

/** What the commands work on: servers over the same data, at the same time. */
export interface Real {
  servers: JobService[]
  clock: { ms: number }
  restart(server: number): Promise<void>
}

export const findJob = (model: Model, id: string): ModelJob | undefined => model.jobs.find(({ job }) => job.id === id)

/** Higher priority first, then the user's order (B4). */
export const inOrder = ({ jobs }: Model): ModelJob[] => jobs.toSorted((one, other) => other.job.priority - one.job.priority)

export const stateOf = ({ state, notBefore }: ModelJob, now: number): string => (state === 'free' ? (notBefore > now ? 'waiting' : 'available') : state === 'held' ? 'selected' : state)

/** Attempts begun, the present one included. */
export const attemptOf = ({ claim, lost }: ModelJob): number => (claim === undefined ? lost : lost + 1)

export const versionOf = ({ performed }: Model, id: string): string => {
  const before = performed.filter((each) => each === id).length
  return before === 0 ? id : `${id}_${before + 1}`
}

export const backoff = { firstMs: 30_000, mostMs: 600_000 }

/** A claim ends without an image (B9). */
export function loseClaim(model: Model, found: ModelJob, { waits }: { waits: boolean }): void {
  if (found.claim !== undefined) found.spent.push(found.claim.token)
  delete found.claim
  found.lost++
  if (found.job.whenLost === 'remove') removeJob(model, found)
  else if (found.lost >= found.job.maxAttempts) found.state = 'failed'
  else {
    found.state = 'free'
    found.notBefore = waits ? model.now + Math.min(backoff.firstMs * 2 ** (found.lost - 1), backoff.mostMs) : 0
  }
}

/** The image of a job is visible (B10). */
export function performJob(model: Model, { job: { id }, claim }: ModelJob): void {
  model.jobs = model.jobs.filter((each) => each.job.id !== id)
  model.performed.push(id)
  model.performedBy.set(id, claim!.token)
}

/** Whether an attempt goes on, by a worker or in its proof. */
export const isUnderWay = ({ state }: ModelJob): boolean => state === 'held' || state === 'proving'

export function removeJob(model: Model, { job }: ModelJob): void {
  model.jobs = model.jobs.filter((each) => each.job.id !== job.id)
  model.performedBy.delete(job.id)
}

/**
 * Whether a claim's time is over for a server that has watched since `upSince`: a claim that it met at its start has its silence limit from there on, and
 * its time limit too if that was over meanwhile.
 */
export function isOver({ job }: ModelJob, { claimedAt, heardAt }: ModelClaim, { now, upSince }: { now: number; upSince: number }): boolean {
  const silenceMs = job.silenceLimitSeconds * 1000
  const deadline = claimedAt + job.timeLimitSeconds * 1000
  const isMet = upSince - claimedAt >= silenceMs
  const latest = isMet ? Math.max(deadline, upSince + silenceMs) : deadline
  return now >= latest || now - Math.max(heardAt, upSince) >= silenceMs
}
