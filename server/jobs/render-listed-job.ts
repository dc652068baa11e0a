import type { Job, ListedJob } from '../api/job.ts'
import type { JobRecord } from './job-store.ts'
import { attemptsOf, isUnderWay, isWaiting } from './rules.ts'
import { unmetRequirements, type KnownMachine } from './unmet-requirements.ts'

/** Whether a job is not every machine's. */
export const isChoosy = (job: Job): boolean => job.requires !== undefined || job.assignedTo !== undefined

/** The machines that a job may be done by, as far as it was pushed to one of them. */
export const candidatesFor = (job: Job, known: readonly KnownMachine[]): KnownMachine[] =>
  known.filter(({ id }) => job.assignedTo === undefined || job.assignedTo === id)

/** Why no known machine can take a job, or nothing when one can. */
function blockedBy(job: Job, known: readonly KnownMachine[]): string | undefined {
  if (!isChoosy(job)) return undefined
  const asked = candidatesFor(job, known)
  if (asked.length === 0) return job.assignedTo === undefined ? 'no machine is known yet' : `the machine ${job.assignedTo} is not known`
  const unmet = asked.map((each) => ({ id: each.id, problems: unmetRequirements(job, each) }))
  if (unmet.some(({ problems }) => problems.length === 0)) return undefined
  const nearest = unmet.toSorted((one, other) => one.problems.length - other.problems.length)[0]!
  return `no known machine can take it; nearest is ${nearest.id}: ${nearest.problems.join(', ')}`
}

const stateOf = ({ status }: JobRecord, waits: boolean): ListedJob['state'] => {
  if (status === undefined) return waits ? 'waiting' : 'available'
  return status.state === 'failed' || status.state === 'cancelled' || status.state === 'proving' ? status.state : 'selected'
}

/** A job as the list shows it (B6). `known` are the machines by which to tell whether anyone can take it; left out, that is not told. */
export function renderListedJob(record: JobRecord, nowMs: number, known?: readonly KnownMachine[]): ListedJob {
  const { job, status, history } = record
  const waits = status === undefined && isWaiting(record, nowMs)
  const worker = status?.worker ?? history?.attempts.at(-1)?.worker
  const blocked = status === undefined && known !== undefined ? blockedBy(job, known) : undefined
  return {
    ...job,
    state: stateOf(record, waits),
    attempt: attemptsOf(record),
    ...(worker === undefined ? {} : { worker }),
    ...(status?.progress !== undefined && isUnderWay(status) ? { progress: status.progress } : {}),
    ...(status !== undefined && isUnderWay(status) ? { deadlineAt: status.deadlineAt } : {}),
    ...(waits && history?.notBefore !== undefined ? { notBefore: history.notBefore } : {}),
    ...(blocked === undefined ? {} : { blocked }),
  }
}
