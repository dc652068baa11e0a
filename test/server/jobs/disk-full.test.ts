import { expect, test } from 'vitest'
import { inNamespace, noNamespaces } from '../../helpers/namespace.ts'
import type { DiskFullResult } from './fixtures/disk-full-scenario.ts'

const name = 'while the disk is full every write is refused with 507 and nothing half is left, and all goes on once there is space'
test.skipIf(noNamespaces !== undefined)(noNamespaces === undefined ? name : `${name} (skipped: ${noNamespaces})`, async () => {
  const result = await inNamespace<DiskFullResult>(new URL('./fixtures/disk-full-scenario.ts', import.meta.url))
  expect(result.full).toEqual({ add: 507, claim: 507, report: 507, log: 507, cancel: 507, remove: 507, retry: 200 })
  expect(result.problem).toMatchObject({ status: 507, title: expect.stringMatching(/^no space is left to write .*status\/free\.json; nothing was changed$/) })
  expect(result.during).toEqual(result.before.map((job) => (job === 'failed failed' ? 'failed available' : job)))
  expect(result.log).toBe('so far\n')
  expect(result.leftOver).toEqual([])
  expect(result.freed).toEqual({ add: 201, claim: 201, report: 200, log: 204, cancel: 200, remove: 204, retry: 200 })
  expect(result.after).toEqual(['held selected', 'free selected', 'idle cancelled', 'failed available', 'new available'])
  // What happened meanwhile was kept for later.
  expect(result.events.filter(({ hop }) => hop === 'plan')).toHaveLength(100)
  expect(result.events.filter(({ hop }) => hop === 'claim').map(({ job }) => job)).toEqual(['held', 'failed', 'free'])
})
