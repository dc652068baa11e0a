import { expect, test } from 'vitest'
import { inNamespace, noNamespaces } from '../../helpers/namespace.ts'
import type { StoreFullResult } from './fixtures/store-full-scenario.ts'

const name = 'F3 a full store refuses with 507, shows nothing half, and goes on once there is room; so does a worker that waits'
test.skipIf(noNamespaces !== undefined)(noNamespaces === undefined ? name : `${name} (skipped: ${noNamespaces})`, { timeout: 60_000 }, async () => {
  const result = await inNamespace<StoreFullResult>(new URL('./fixtures/store-full-scenario.ts', import.meta.url))
  const full = [507, expect.stringMatching(/^no space is left to write /)]
  expect([result.blob, result.piece, result.manifest]).toEqual([full, full, full])
  expect([result.versions, result.leftOver, result.whole]).toEqual([[], [], true])
  expect(result.freed).toEqual([202, 201, 201])
  expect(result.versionsThen).toEqual(['job-1'])
  expect(result.workerSays).toContain('no space is left to write')
  expect([result.versionsMeanwhile, result.versionsInTheEnd]).toEqual([['job-1'], ['job-1', 'job-2']])
})
