import { describe, expect, it } from 'vitest'
import { inNamespace, noNamespaces } from '../../helpers/namespace.ts'
import type { FuzzInput, FuzzResult } from './fuzz-scenario.ts'

/** A million in the slow tests. */
const packets = process.env.INGOT_SLOW_TESTS === '1' ? 500_000 : 10_000
const fuzz = (mode: FuzzInput['mode']) => inNamespace<FuzzResult>(new URL('fuzz-scenario.ts', import.meta.url), { packets, mode }, { timeoutMs: 900_000 })

describe.skipIf(noNamespaces)('after many damaged packets', { timeout: 900_000 }, () => {
  it('the services of DHCP mode still serve a sound client, and have not grown', async () => {
    const { given, isFetched, grownMiB } = await fuzz('dhcp')
    expect([given, isFetched]).toEqual([expect.objectContaining({ ip: '10.77.0.20' }), true])
    expect(grownMiB).toBeLessThan(16)
  })
  it('the services of proxy mode still serve, and have not grown', async () => {
    const { isFetched, grownMiB } = await fuzz('proxy')
    expect(isFetched).toBe(true)
    expect(grownMiB).toBeLessThan(16)
  })
})
