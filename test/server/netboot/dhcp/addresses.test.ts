import { beforeAll, describe, expect, it } from 'vitest'
import { inNamespace, noNamespaces } from '../../../helpers/namespace.ts'
import type { scenario } from './addresses-scenario.ts'

describe.skipIf(noNamespaces)('who is given which address', () => {
  let seen: Awaited<ReturnType<typeof scenario>>
  beforeAll(async () => void (seen = await inNamespace(new URL('addresses-scenario.ts', import.meta.url), {}, { timeoutMs: 90_000 })), 100_000)

  it('a machine that an address is kept for gets that one', () => expect(seen.reserved).toMatchObject({ ip: '10.77.0.20', mask: '24' }))
  it('a machine that is set to be ignored gets none, and takes none', () => {
    expect(seen.ignored).toBe('none')
    expect(seen.leases.join()).not.toContain('02-00-00-00-00-02')
  })
  it('an address that somebody uses without a lease is passed over, and told with who it is', () => {
    expect(seen.besideSquatter).toMatchObject({ ip: '10.77.0.101' })
    expect(seen.warnings).toContainEqual(
      expect.objectContaining({ machine: '02-00-00-00-00-04', address: '10.77.0.100', user: '02-00-00-00-00-03', msg: expect.stringContaining('in use without a lease') as string }),
    )
  })
  it('one that the machine itself finds in use (dhcpcd, DECLINE) is followed by the next', () => expect(seen.carefulGot).toContain('10.77.0.103/24'))
  it('F7 nothing is heard or answered on another interface of this host', () => {
    expect([seen.onOtherInterface, seen.heardFromOffice]).toEqual(['none', 0])
  })
})
