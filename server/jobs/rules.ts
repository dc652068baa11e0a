import type { EndedAttempt, EndedJob, History, Loss } from '../api/history.ts'
import type { Job } from '../api/job.ts'
import type { Failure, Progress, Status, StatusReport } from '../api/status.ts'
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

export const defaultBackoff: Backoff = { firstMs: 30_000, mostMs: 600_000 }

export const isHeld = ({ state }: Status): boolean => state === 'claimed' || state === 'running'

/** A crash came between the history of a lost attempt and the end of its status. */
export const isOfLostAttempt = ({ status, history }: JobRecord): boolean => status !== undefined && (history?.attempts.some((each) => each.claimHash === status.claimHash) ?? false)

/** Whether an attempt goes on: by a worker, or by the proof of what it brought. */
export const isUnderWay = (status: Status): boolean => isHeld(status) || status.state === 'proving'

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
export function planLoss(record: JobRecord, held: Status, loss: SilentLoss, nowMs: number, backoff: Backoff): Exclude<Change, { kind: 'keep' }> {
  return planEnd(record, { held, loss }, nowMs, backoff)
}

/** A copy of the image did not boot, or did not pass: the attempt is lost, and the image never becomes visible (F2). */
export function planUnproven(record: JobRecord, held: Status, failure: Failure, nowMs: number, backoff: Backoff): Exclude<Change, { kind: 'keep' }> {
  return planEnd(record, { held: { ...held, failure }, loss: 'unproven' }, nowMs, backoff)
}

function planEnd({ job, history }: JobRecord, { held, loss }: { held: Status; loss: SilentLoss | 'unproven' }, nowMs: number, backoff: Backoff): Exclude<Change, { kind: 'keep' }> {
  const lost = endAttempt(held, loss, nowMs)
  const attempts = [...(history?.attempts ?? []), lost]
  if (job.whenLost === 'remove') return planRemoval({ job, history: { version: 1, attempts } }, nowMs)
  if (attempts.length >= job.maxAttempts) {
    const told = loss === 'unproven' ? held.failure! : { step: held.progress?.step ?? 'claim', message: describeLoss[loss](job), lastLines: [] }
    const failure = attempts.length > 1 ? { ...told, message: `${told.message}; attempt ${attempts.length} of ${job.maxAttempts}` } : told
    return { kind: 'status', status: { ...held, state: 'failed', failure, revision: held.revision + 1 } }
  }
  // A worker that gives the job back is well, and so is the job.
  const waitMs = loss === 'given-back' ? 0 : Math.min(backoff.firstMs * 2 ** (attempts.length - 1), backoff.mostMs)
  return { kind: 'release', history: { version: 1, attempts, ...(waitMs === 0 ? {} : { notBefore: iso(nowMs + waitMs) }) } }
}

/** A loss that no failure tells of. */
export type SilentLoss = Exclude<Loss, 'failed' | 'cancelled' | 'unproven'>

const describeLoss: Record<SilentLoss, (job: Job) => string> = {
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

/** Refuses what must not happen to a job in the middle of an attempt: throws `HttpProblem` 409. */
export function requireRest({ job, status }: JobRecord): void {
  if (status === undefined || !isUnderWay(status)) return
  const why = status.state === 'proving' ? `being proven, with the image that ${status.worker} made` : `held by ${status.worker}`
  throw new HttpProblem(409, `job '${job.id}' is ${why}; cancel it first`)
}

/** Makes a job available now, its attempts counted anew. Throws `HttpProblem` 409 when a worker holds it or its image is being proven. */
export function planRetry(record: JobRecord): Change {
  requireRest(record)
  const { status, history } = record
  return status === undefined && history === undefined ? { kind: 'keep' } : { kind: 'release' }
}

export function planRemoval({ job, status, history }: JobRecord, nowMs: number): { kind: 'end'; ended: EndedJob } {
  const kept = { ...(status === undefined ? {} : { status }), ...(history === undefined ? {} : { history }) }
  return { kind: 'end', ended: { version: 1, job, end: 'removed', endedAt: iso(nowMs), ...kept } }
}

/** Whether what this claim brought is being proven: its worker may ask again for the answer to its manifest. */
export const isProvenFor = (claimHash: string, record: JobRecord | undefined): record is JobRecord & { status: Status } =>
  record?.status?.state === 'proving' && record.status.claimHash === claimHash

/** Whether a job is still in the proof that was begun with this status. */
export const isProving = (record: JobRecord | undefined, begun: Status): record is JobRecord & { status: Status } =>
  isProvenFor(begun.claimHash, record)

/**
 * The image of a claim was received and read back: its worker is done with the job, and the proof begins. The same again changes nothing. Throws
 * `HttpProblem` 409 or 410 as `heldBy` does.
 */
export function planReceipt(id: string, record: JobRecord, { claimHash, imageDigest, progress }: Receipt, nowMs: number): { kind: 'keep' } | { kind: 'status'; status: Status } {
  const { status } = record
  if (status?.claimHash === claimHash && status.state === 'proving' && status.imageDigest === imageDigest) return { kind: 'keep' }
  const held = heldBy(claimHash, id, record)
  const begun = progress === undefined ? held : { ...held, progress }
  return { kind: 'status', status: { ...begun, state: 'proving', imageDigest, heartbeatAt: iso(nowMs), revision: held.revision + 1 } }
}

export interface Receipt {
  claimHash: string
  imageDigest: string
  /** Of the proof that begins; none for an image without proof. */
  progress?: Progress
}

/** How far a proof is, which may be lost in a crash. */
export const planProofProgress = (proving: Status, progress: Progress, nowMs: number): { kind: 'status'; status: Status; durable: false } => ({
  kind: 'status',
  status: { ...proving, progress, heartbeatAt: iso(nowMs), revision: proving.revision + 1 },
  durable: false,
})

/**
 * Ends a job that deploys an image, by the report of its worker; `digest` is that of the image, as its script names it. Throws `HttpProblem` 409 for a job
 * that makes an image: only that ends it.
 */
export function planDeployed(record: JobRecord, held: Status, digest: string | undefined, nowMs: number): { kind: 'end'; ended: EndedJob } {
  if (digest === undefined) throw new HttpProblem(409, `job '${record.job.id}' is performed once its image is received, and not by a report`)
  return planCompletion(record, { claimHash: held.claimHash, imageDigest: digest, imageVersion: held.imageVersion }, nowMs)
}

export interface Completion {
  claimHash: string
  imageDigest: string
  /** The version that the image was published under. */
  imageVersion: string
}

/**
 * The image of a job is there for all to see: the job is performed (B10). Also when its attempt ended in the moment between the last check and the image
 * becoming visible, for the image is whole and the job therefore done. Throws `HttpProblem` 410 for a claim that never had the job.
 */
export function planCompletion({ job, status, history }: JobRecord, { claimHash, imageDigest, imageVersion }: Completion, nowMs: number): { kind: 'end'; ended: EndedJob } {
  const lost = wasHeldBy(history, claimHash)
  const time = iso(nowMs)
  if (status?.claimHash !== claimHash && lost === undefined) throw new HttpProblem(410, `job '${job.id}' is held by another claim`)
  const { failure: _, progress, ...held }: Status =
    status?.claimHash === claimHash || lost === undefined
      ? status!
      : { version: 1, job: job.id, revision: 1, state: 'running', server: '', imageVersion, deadlineAt: time, heartbeatAt: time, ...pickClaim(lost) }
  // Of a proof its record tells, better than what it waited for last.
  const kept = progress === undefined || progress.step === 'proof' ? held : { ...held, progress }
  const performed: Status = { ...kept, state: 'performed', imageDigest, heartbeatAt: time, revision: held.revision + 1 }
  return { kind: 'end', ended: { version: 1, job, end: 'performed', endedAt: time, status: performed, ...(history === undefined ? {} : { history }) } }
}

const pickClaim = ({ attempt, worker, claimHash, claimedAt }: EndedAttempt) => ({ attempt, worker, claimHash, claimedAt })
