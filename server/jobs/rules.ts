import type { EndedAttempt, EndedJob, History, Loss } from '../api/history.ts'
import type { Job } from '../api/job.ts'
import type { Failure, Status, StatusReport } from '../api/status.ts'
import { HttpProblem } from '../http/problem.ts'
import type { Change, JobRecord } from './job-store.ts'

/*
 * What may become of a job, as pure functions from its record to the change that is written. `nowMs` is the clock, in milliseconds since 1970.
 */

const iso = (ms: number): string => new Date(ms).toISOString()

/** A lost job may be taken again after this long, doubled with each attempt: what made one worker vanish may make the next one vanish too. */
export interface Backoff {
  firstMs: number
  mostMs: number
}

export const isHeld = ({ state }: Status): boolean => state === 'claimed' || state === 'running'

/** Whether a lost job has to wait still. */
export const isWaiting = ({ history }: JobRecord, nowMs: number): boolean => history?.notBefore !== undefined && Date.parse(history.notBefore) > nowMs

export const attemptsOf = ({ status, history }: JobRecord): number => status?.attempt ?? history?.attempts.length ?? 0

const wasHeldBy = (history: History | undefined, claimHash: string): EndedAttempt | undefined => history?.attempts.find((each) => each.claimHash === claimHash)

/** The status of a job while this claim holds it. Throws `HttpProblem` 410 when the claim has ended, 409 when another has the job (F5). */
export function heldBy(claimHash: string, id: string, record: JobRecord | undefined): Status {
  if (record === undefined) throw new HttpProblem(410, `job '${id}' is not on the list any more: this claim has ended`)
  const { status, history } = record
  const ended = wasHeldBy(history, claimHash)
  if (ended !== undefined) throw new HttpProblem(410, `this claim on job '${id}' has ended: ${ended.loss}`)
  if (status === undefined) throw new HttpProblem(410, `job '${id}' is not claimed: this claim has ended`)
  if (status.claimHash !== claimHash) throw new HttpProblem(409, `job '${id}' is held by another claim`)
  if (!isHeld(status)) throw new HttpProblem(410, `this claim on job '${id}' has ended: ${status.state}`)
  return status
}

export interface NewClaim {
  report: StatusReport & { worker: string; server: string }
  claimHash: string
  imageVersion: string
}

/** The status that a claim makes. Throws `HttpProblem` 409 when this worker may not take the job now. */
export function planClaim(record: JobRecord, { report, claimHash, imageVersion }: NewClaim, nowMs: number): Status {
  const { job, history } = record
  if (job.assignedTo !== undefined && job.assignedTo !== report.worker) throw new HttpProblem(409, `job '${job.id}' is assigned to ${job.assignedTo}`)
  if (wasHeldBy(history, claimHash) !== undefined) throw new HttpProblem(409, `this claim on job '${job.id}' has ended: another needs a token of its own`)
  if (isWaiting(record, nowMs)) throw new HttpProblem(409, `job '${job.id}' was lost by its last worker and may be taken from ${history?.notBefore} on`)
  return {
    ...report,
    version: 1,
    job: job.id,
    revision: 1,
    state: 'claimed',
    attempt: (history?.attempts.length ?? 0) + 1,
    imageVersion,
    claimHash,
    claimedAt: iso(nowMs),
    heartbeatAt: iso(nowMs),
    deadlineAt: iso(nowMs + job.timeLimitSeconds * 1000),
  }
}

/** A worker's report over its own claim. A sign of life and progress may be lost in a crash, a new state may not. */
export function planReport(held: Status, report: StatusReport, nowMs: number): { kind: 'status'; status: Status; durable: boolean } {
  const status: Status = { ...held, ...report, revision: held.revision + 1, heartbeatAt: iso(nowMs) }
  return { kind: 'status', status, durable: status.state !== held.state }
}

/**
 * A claim ended without an image: the job may be taken again after a while, counts as failed when it was lost too often, or leaves the list, as the
 * job says (B9).
 */
export function planLoss({ job, history }: JobRecord, held: Status, loss: Exclude<Loss, 'failed' | 'cancelled'>, nowMs: number, backoff: Backoff): Exclude<Change, { kind: 'keep' }> {
  const lost = endAttempt(held, loss, nowMs)
  const attempts = [...(history?.attempts ?? []), lost]
  if (job.whenLost === 'remove') return planRemoval({ job, history: { version: 1, attempts } }, nowMs)
  if (attempts.length >= job.maxAttempts) {
    const failure: Failure = {
      step: held.progress?.step ?? 'claim',
      message: `${describeLoss[loss](job)}${attempts.length > 1 ? `; attempt ${attempts.length} of ${job.maxAttempts}` : ''}`,
      lastLines: [],
    }
    return { kind: 'status', status: { ...held, state: 'failed', failure, revision: held.revision + 1 } }
  }
  // A worker that gives the job back is well, and so is the job.
  const waitMs = loss === 'given-back' ? 0 : Math.min(backoff.firstMs * 2 ** (attempts.length - 1), backoff.mostMs)
  return { kind: 'release', history: { version: 1, attempts, ...(waitMs === 0 ? {} : { notBefore: iso(nowMs + waitMs) }) } }
}

const describeLoss: Record<Exclude<Loss, 'failed' | 'cancelled'>, (job: Job) => string> = {
  silent: (job) => `the worker gave no sign of life for ${job.silenceLimitSeconds} s`,
  'time-limit': (job) => `not done within the time limit of ${job.timeLimitSeconds} s`,
  'given-back': () => 'the worker was started anew in the middle of the job',
}

const endAttempt = ({ attempt, worker, claimHash, claimedAt, failure }: Status, loss: Loss, nowMs: number): EndedAttempt => ({
  attempt,
  worker,
  claimHash,
  claimedAt,
  endedAt: iso(nowMs),
  loss,
  ...(failure === undefined ? {} : { failure }),
})

/** Keeps the job on the list where nobody takes it. A job that nobody held gets a status too: without one it would be available. */
export function planCancel(record: JobRecord, nowMs: number): Change {
  return record.status?.state === 'cancelled' ? { kind: 'keep' } : { kind: 'status', status: cancelledStatus(record, nowMs) }
}

/** What keeps a job from being taken until it is retried; a status of nobody's when nobody held it. */
export function cancelledStatus(record: JobRecord, nowMs: number): Status {
  const { job, status } = record
  if (status !== undefined) return { ...status, state: 'cancelled', revision: status.revision + 1 }
  const time = iso(nowMs)
  const nobody = { worker: 'nobody', server: '', claimHash: 'none', imageVersion: job.id, claimedAt: time, heartbeatAt: time, deadlineAt: time, revision: 1 }
  return { ...nobody, version: 1, job: job.id, attempt: attemptsOf(record) + 1, state: 'cancelled' }
}

/** Makes a job available now, its attempts counted anew. Throws `HttpProblem` 409 when a worker holds it. */
export function planRetry({ job, status, history }: JobRecord): Change {
  if (status !== undefined && isHeld(status)) throw new HttpProblem(409, `job '${job.id}' is held by ${status.worker}; cancel it first`)
  return status === undefined && history === undefined ? { kind: 'keep' } : { kind: 'release' }
}

export function planRemoval({ job, status, history }: JobRecord, nowMs: number): { kind: 'end'; ended: EndedJob } {
  const kept = { ...(status === undefined ? {} : { status }), ...(history === undefined ? {} : { history }) }
  return { kind: 'end', ended: { version: 1, job, end: 'removed', endedAt: iso(nowMs), ...kept } }
}

export interface Completion {
  claimHash: string
  imageDigest: string
  /** The version that the image was published under. */
  imageVersion: string
}

/**
 * The image of a job is received: the job is performed (B10). Also when its claim ended in the moment between the last check and the image becoming
 * visible, for the image is whole and the job therefore done. Throws `HttpProblem` 410 for a claim that never had the job.
 */
export function planCompletion({ job, status, history }: JobRecord, { claimHash, imageDigest, imageVersion }: Completion, nowMs: number): { kind: 'end'; ended: EndedJob } {
  const lost = wasHeldBy(history, claimHash)
  const time = iso(nowMs)
  if (status?.claimHash !== claimHash && lost === undefined) throw new HttpProblem(410, `job '${job.id}' is held by another claim`)
  const { failure: _, ...held }: Status =
    status?.claimHash === claimHash || lost === undefined
      ? status!
      : { version: 1, job: job.id, revision: 1, state: 'running', server: '', imageVersion, deadlineAt: time, heartbeatAt: time, ...pickClaim(lost) }
  const performed: Status = { ...held, state: 'performed', imageDigest, heartbeatAt: time, revision: held.revision + 1 }
  return { kind: 'end', ended: { version: 1, job, end: 'performed', endedAt: time, status: performed, ...(history === undefined ? {} : { history }) } }
}

const pickClaim = ({ attempt, worker, claimHash, claimedAt }: EndedAttempt) => ({ attempt, worker, claimHash, claimedAt })
