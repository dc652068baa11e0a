import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { createUseOf } from '../../../server/jobs/deployed-images.ts'
import { openFileJobStore } from '../../../server/jobs/file-job-store.ts'
import type { JobStore } from '../../../server/jobs/job-store.ts'
import { plannedSnapshots } from '../../../server/jobs/planned-snapshots.ts'
import { sampleJob, samplePlan } from './sample-job.ts'

let directory: string
let store: JobStore
const tag = `_steps-${'1'.repeat(64)}`
const digest = `sha256:${'3'.repeat(64)}`

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'ingot-planned-'))
  store = await openFileJobStore(directory)
  const plan = samplePlan()
  const base = { kind: 'start-from', disk: {}, diskSizeBytes: 1024 ** 3, image: 'debian-12', version: 'web-1', digest } as const
  await store.writePlan('a', { ...plan, steps: [base, { kind: 'snapshot', image: 'web', tag }, ...plan.steps.slice(1)] })
  await store.add(sampleJob('a'))
  await store.add(sampleJob('b'))
})
afterEach(async () => {
  await store.close()
  await rm(directory, { recursive: true })
})

const version = (more: object = {}) => ({ name: 'debian-12', version: 'web-1', digest, manifestBytes: 1, publishedAt: '', ...more })

test('what jobs on the list may start from is known by its tag', async () => {
  expect([...(await plannedSnapshots(store))]).toEqual([tag])
})

test('an image is in use while a job on the list starts from it', async () => {
  const useOf = createUseOf(store)
  expect(await useOf(version())).toBe('job a starts from it')
  expect(await useOf(version({ digest: `sha256:${'4'.repeat(64)}` }))).toBeUndefined()
  expect(await useOf(version({ name: 'other' }))).toBeUndefined()
})
