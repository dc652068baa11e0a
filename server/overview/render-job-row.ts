import { describeWork } from '../api/describe-work.ts'
import type { ListedJob } from '../api/job.ts'
import type { JobRow } from '../api/overview.ts'

/** A job as the list of the console has it; what is at its default is left out. */
export function renderJobRow(job: ListedJob): JobRow {
  const { id, state, attempt, priority, worker, assignedTo, progress, notBefore, deadlineAt, blocked, madeBy } = job
  const optional = { worker, assignedTo, progress, notBefore, deadlineAt, blocked, madeBy, priority: priority === 0 ? undefined : priority }
  return { id, state, attempt, work: describeWork(job), ...(Object.fromEntries(Object.entries(optional).filter(([, value]) => value !== undefined)) as Partial<JobRow>) }
}
