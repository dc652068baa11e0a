import { expect, test } from 'vitest'
import type { PowerCutResult } from './power-cut/inside.ts'
import { runScene, type Scene } from './run-scene.ts'

const limitMs = 40 * 60_000

test('F4 a machine that loses its power in the middle of a job costs the job nothing but time: another machine of the rack finishes it', { timeout: limitMs }, async () => {
  const { machines, jobs } = await runScene<Scene, PowerCutResult>('power-cut', {}, limitMs)
  const [cut] = machines
  expect(jobs.first).toMatchObject({ end: 'performed', attempts: [{ attempt: 1, worker: cut, loss: 'silent' }], status: { state: 'performed', attempt: 2 } })
  expect(jobs.second).toMatchObject({ end: 'performed', attempts: [], status: { state: 'performed', attempt: 1 } })
  // Each of the two other machines did one.
  expect(new Set([cut, jobs.first.status?.worker, jobs.second.status?.worker])).toEqual(new Set(machines))
})
