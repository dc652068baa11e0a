import type { Plan } from '../../images/plan.ts'
import type { Job, JobList } from '../api/job.ts'
import type { Status } from '../api/status.ts'

/** A job that has ended with its image received (B10). */
export interface PerformedJob {
  job: Job
  status: Status
}

/**
 * Where the list, the scripts and the status of jobs are kept. Absence of a status means that the job is available (B14). Every method
 * throws when the storage fails; only what is really not there is `undefined`.
 */
export interface JobStore {
  /** The list in its order: higher priority first, then the order in which the user put them. */
  list(): Promise<JobList>
  /** Puts a job on the list; throws `HttpProblem` 409 when one of that id is there. */
  add(job: Job): Promise<void>
  writePlan(id: string, plan: Plan): Promise<void>
  plan(id: string): Promise<Plan | undefined>
  status(id: string): Promise<Status | undefined>
  /** Makes the status, exclusively; `false` when there is one already (B8, B15). */
  createStatus(status: Status): Promise<boolean>
  replaceStatus(status: Status): Promise<void>
  /** Takes the job off the list and keeps it as performed. */
  perform(job: Job, status: Status): Promise<void>
  performed(): Promise<PerformedJob[]>
  appendLog(id: string, text: string): Promise<void>
  log(id: string): Promise<string | undefined>
}
