import type { Plan } from '../../../images/plan.ts'
import type { EndedJob, History } from '../../../server/api/history.ts'
import { withJobDefaults, type Job } from '../../../server/api/job.ts'
import type { Status } from '../../../server/api/status.ts'

/** A job as it comes on the list. */
export const sampleJob = (id: string, more: Partial<Job> = {}): Job => ({ ...withJobDefaults({ id, recipe: 'debian-12' }), ...more })

/** The status that the worker `worker` makes by its claim. */
export const sampleStatus = (job: string, worker = 'w1', more: Partial<Status> = {}): Status => ({
  version: 1,
  job,
  worker,
  server: 'http://10.77.0.1:8080',
  state: 'claimed',
  revision: 1,
  attempt: 1,
  imageVersion: job,
  claimHash: `sha256:${worker}`,
  claimedAt: '2026-11-23T10:00:00.000Z',
  heartbeatAt: '2026-11-23T10:00:00.000Z',
  deadlineAt: '2026-11-23T14:00:00.000Z',
  ...more,
})

/** One attempt of `worker` that was lost. */
export const sampleHistory = (worker = 'w1'): History => ({
  version: 1,
  attempts: [{ attempt: 1, worker, claimHash: `sha256:${worker}`, claimedAt: '2026-11-23T10:00:00.000Z', endedAt: '2026-11-23T10:01:00.000Z', loss: 'silent' }],
  notBefore: '2026-11-23T10:01:30.000Z',
})

export const samplePerformed = (job: Job, { imageVersion = job.id, endedAt = '2026-11-23T11:00:00.000Z' } = {}): EndedJob => ({
  version: 1,
  job,
  end: 'performed',
  endedAt,
  status: sampleStatus(job.id, 'w1', { state: 'performed', imageVersion, imageDigest: `sha256:${'0'.repeat(64)}` }),
})

export const sampleRemoved = (job: Job, endedAt = '2026-11-23T12:00:00.000Z'): EndedJob => ({ version: 1, job, end: 'removed', endedAt })

const component = (name: string) => ({ name, digest: `sha256:${'1'.repeat(64)}`, sizeBytes: 1 })

export const samplePlan = (recipe = 'debian-12'): Plan => ({
  version: 1,
  recipe: { name: recipe, digest: `sha256:${'2'.repeat(64)}` },
  architecture: 'amd64',
  firmware: ['bios'],
  tools: component('tools'),
  steps: [{ kind: 'install-rootfs', component: component('rootfs') }, { kind: 'generalise' }, { kind: 'image', image: recipe }],
  proof: 'none',
})
