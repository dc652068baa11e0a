import { expect, it } from 'vitest'
import { inNamespace, noNamespaces } from '../../helpers/namespace.ts'
import type { scenario } from './bad-cable-scenario.ts'

it.skipIf(noNamespaces)('over a cable that loses 5 % of frames each way, doubles and delays others, a machine gets its address and whole files', { timeout: 320_000 }, async () => {
  const { given, frames, fetched, real } = await inNamespace<Awaited<ReturnType<typeof scenario>>>(new URL('bad-cable-scenario.ts', import.meta.url), {}, { timeoutMs: 310_000 })
  expect(given).toMatchObject({ ip: '10.77.0.100' })
  expect(fetched).toEqual(real)
  expect(frames.lost).toBeGreaterThan(0)
})
