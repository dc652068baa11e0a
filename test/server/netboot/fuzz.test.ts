import { describe, expect, it } from 'vitest'
import { inNamespace, noNamespaces } from '../../helpers/namespace.ts'
import type { FuzzInput, FuzzResult } from './fuzz-scenario.ts'

const isSlow = process.env.INGOT_SLOW_TESTS === '1'
/** In each mode. */
const packets = isSlow ? 1_000_000 : 10_000

async function fuzz(mode: FuzzInput['mode']): Promise<FuzzResult> {
  const result = await inNamespace<FuzzResult>(new URL('fuzz-scenario.ts', import.meta.url), { packets, mode }, { timeoutMs: 1_800_000 })
  if (isSlow) console.log(`${packets} damaged packets in ${mode} mode, ${result.packetsPerSecond} a second: grown by ${result.grownMiB.toFixed(1)} MiB, ${result.lost} lost`)
  return result
}

describe.skipIf(noNamespaces)('after many damaged packets', { timeout: 1_800_000 }, () => {
  it('the services of DHCP mode have seen each of them, still serve a sound client, and have not grown', async () => {
    const { given, isFetched, grownMiB, lost } = await fuzz('dhcp')
    expect([lost, given, isFetched]).toEqual([0, expect.objectContaining({ ip: '10.77.0.20' }), true])
    expect(grownMiB).toBeLessThan(16)
  })
  it('the services of proxy mode have seen each of them, still serve, and have not grown', async () => {
    const { isFetched, grownMiB, lost } = await fuzz('proxy')
    expect([lost, isFetched]).toEqual([0, true])
    expect(grownMiB).toBeLessThan(16)
  })
})
