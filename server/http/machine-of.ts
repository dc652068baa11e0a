import type { JobService } from '../jobs/job-service.ts'
import { HttpProblem } from './problem.ts'

/** The machine that performs a job: who claimed it, which by way of a master the credential does not tell; `asker` when nobody has. */
export async function machineOf(jobs: Pick<JobService, 'status'>, job: string, asker: string): Promise<string> {
  try {
    return (await jobs.status(job)).worker
  } catch (error) {
    if (error instanceof HttpProblem && error.status === 404) return asker
    throw error
  }
}
