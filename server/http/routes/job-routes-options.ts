import { jobIdSchema, type Job, type NewJob, type Place } from '../../api/job.ts'
import type { Emit } from '../../event-log.ts'
import type { JobService } from '../../jobs/job-service.ts'
import type { Authorize } from '../auth.ts'

/** What the routes of jobs touch. */
export interface JobRoutesOptions {
  jobs: JobService
  authorize: Authorize
  emit: Emit
  /** Makes a job from a recipe and puts it on the list; throws `IngotError` when the recipe is unknown or wrong. */
  createJob: (wanted: NewJob, place?: Place) => Promise<Job>
}

/** Parameters of a route of one job. */
export const jobParams = { type: 'object', properties: { id: jobIdSchema }, required: ['id'] } as const
export type WithJobId = { Params: { id: string } }
