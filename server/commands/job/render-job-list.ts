import prettyMs from 'pretty-ms'
import { describeWork } from '../../api/describe-work.ts'
import type { ListedJob } from '../../api/job.ts'
import { renderTable } from '../render-table.ts'
import { renderProgress } from './render-progress.ts'

/** What a person wants to know of a job beside its state, if there is anything. */
function noteOf({ id, state, progress, notBefore, blocked, assignedTo }: ListedJob, nowMs: number): string {
  if (state === 'failed') return `why: ingot job show ${id}`
  if (blocked !== undefined) return blocked
  if (progress !== undefined) return renderProgress(progress)
  if (notBefore !== undefined) return `again in ${prettyMs(Math.max(1000, Date.parse(notBefore) - nowMs), { secondsDecimalDigits: 0, unitCount: 2 })}`
  return assignedTo === undefined ? '' : `for ${assignedTo}`
}

const head = ['JOB', 'STATE', 'PRIORITY', 'ATTEMPT', 'WORKER', 'ORIGIN', 'WORK', '']

const cellsOf = (job: ListedJob, nowMs: number): string[] => [
  job.id,
  job.state,
  job.priority === 0 ? '' : String(job.priority),
  job.attempt === 0 ? '' : `${job.attempt}/${job.maxAttempts}`,
  job.worker ?? '',
  job.origin ?? '',
  describeWork(job),
  noteOf(job, nowMs),
]

/** The list as a table in its order. */
export const renderJobList = (jobs: readonly ListedJob[], { nowMs, width }: { nowMs: number; width: number | undefined }): string[] =>
  renderTable(head, jobs.map((job) => cellsOf(job, nowMs)), width)
