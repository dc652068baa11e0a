import { expect, test } from 'vitest'
import { withJobDefaults } from '../../../server/api/job.ts'
import type { JobRecord } from '../../../server/jobs/job-store.ts'
import { startReclaimer } from '../../../server/jobs/reclaimer.ts'

/** A reclaimer whose clocks the test sets; `ended` tells which claims it would end, and why. */
function watch(claims: { heartbeatMs: number; claimedMs?: number; limitSeconds?: number }[]) {
  const clock = { monotonic: 5000, wall: Date.parse('2026-11-24T12:00:00Z') }
  const iso = (ms: number) => new Date(ms).toISOString()
  const records: JobRecord[] = claims.map(({ heartbeatMs, claimedMs = heartbeatMs, limitSeconds = 3600 }, index) => ({
    job: withJobDefaults({ id: `j${index}`, recipe: 'r', silenceLimitSeconds: 60, timeLimitSeconds: limitSeconds }),
    status: {
      version: 1, job: `j${index}`, worker: 'm', server: 'http://s', state: 'running', revision: 1, attempt: 1, imageVersion: `j${index}`, claimHash: `c${index}`,
      claimedAt: iso(clock.wall + claimedMs), heartbeatAt: iso(clock.wall + heartbeatMs), deadlineAt: iso(clock.wall + claimedMs + limitSeconds * 1000),
    },
  }))
  const ended: string[] = []
  const reclaimer = startReclaimer({
    store: { held: async () => records },
    end: async ({ job }, loss) => void ended.push(`${job.id} ${loss}`),
    monotonic: () => clock.monotonic,
    now: () => clock.wall,
    everyMs: 1_000_000,
  })
  const pass = async (ms: number, options: { wallMs?: number } = {}) => {
    clock.monotonic += ms
    clock.wall += options.wallMs ?? ms
    await reclaimer.look()
    return ended.splice(0)
  }
  const hear = (index: number) => Object.assign(records[index]!.status!, { heartbeatAt: iso(clock.wall) })
  return { pass, hear, close: () => reclaimer.close() }
}

test('B9 a worker without a sign of life within the silence limit is gone; one that is heard is not', async () => {
  const { pass, hear, close } = watch([{ heartbeatMs: 0 }, { heartbeatMs: 0 }])
  expect(await pass(0)).toEqual([])
  expect(await pass(59_000)).toEqual([])
  hear(1)
  expect(await pass(2_000)).toEqual(['j0 silent'])
  await close()
})

test('B9 a job that is not done within its time limit is reclaimed although its worker is well', async () => {
  const { pass, hear, close } = watch([{ heartbeatMs: 0, limitSeconds: 100 }])
  for (let second = 0; second < 90; second += 30) {
    expect(await pass(30_000)).toEqual([])
    hear(0)
  }
  expect(await pass(20_000)).toEqual(['j0 time-limit'])
  await close()
})

test('F4 a clock that is set forward or back by hours ends no job and keeps none for ever', async () => {
  const { pass, hear, close } = watch([{ heartbeatMs: 0 }])
  await pass(0)
  expect(await pass(1000, { wallMs: 10 * 3_600_000 })).toEqual([])
  hear(0)
  expect(await pass(1000, { wallMs: -20 * 3_600_000 })).toEqual([])
  expect(await pass(61_000)).toEqual(['j0 silent'])
  await close()
})

test('after a restart with a hundred claims open each worker is given its silence limit to be heard again, also when its time ran out meanwhile', async () => {
  const away = -8 * 3_600_000
  const { pass, hear, close } = watch(Array.from({ length: 100 }, () => ({ heartbeatMs: away, claimedMs: away })))
  expect(await pass(0)).toEqual([])
  for (let index = 0; index < 50; index++) hear(index)
  expect(await pass(59_000)).toEqual([])
  expect(await pass(1_000)).toHaveLength(100)
  await close()
})
