import { expect, test } from 'vitest'
import { inNamespace, noNamespaces } from '../../helpers/namespace.ts'
import type { RaceInput, RaceResult } from './fixtures/network-file-system-scenario.ts'

const timeoutMs = 180_000

test.skipIf(noNamespaces)('B7 B8 two servers that share a directory over a network file system give each of 60 jobs to one of 10 workers', { timeout: timeoutMs }, async () => {
  const jobs = Array.from({ length: 60 }, (_, index) => `job-${String(index).padStart(2, '0')}`)
  const input: RaceInput = { workers: 10, jobs }
  const race = await inNamespace<RaceResult>(new URL('fixtures/network-file-system-scenario.ts', import.meta.url), input, { timeoutMs })
  expect(race).toEqual({ types: ['fuseblk', 'fuseblk'], performed: jobs, imageVersions: jobs, done: jobs })
})
