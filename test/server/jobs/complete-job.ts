import type { JobService } from '../../../server/jobs/job-service.ts'

/** The image of a job is received and then visible, as if it had been proven in between. */
export async function completeJob(jobs: JobService, id: string, imageDigest: string, claim: string): Promise<void> {
  const { status } = await jobs.received(id, imageDigest, claim)
  await jobs.proving.perform(status, imageDigest)
}
