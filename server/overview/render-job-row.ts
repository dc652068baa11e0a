import { describeWork } from '../api/describe-work.ts'
import type { ListedJob } from '../api/job.ts'
import type { JobRow } from '../api/overview.ts'

const optional = ['worker', 'assignedTo', 'progress', 'notBefore', 'deadlineAt', 'blocked', 'madeBy'] as const satisfies (keyof JobRow & keyof ListedJob)[]

/** A job as the list of the console has it; what is at its default is left out. Made for every job at each look, so that it is quick rather than short. */
export function renderJobRow(job: ListedJob): JobRow {
  const row: JobRow = { id: job.id, state: job.state, attempt: job.attempt, work: describeWork(job) }
  if (job.priority !== 0) row.priority = job.priority
  for (const key of optional) if (job[key] !== undefined) Object.assign(row, { [key]: job[key] })
  return row
}
