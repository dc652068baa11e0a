import { beforeAll, describe, expect, it } from 'vitest'
import { inNamespace, noNamespaces } from '../../../helpers/namespace.ts'
import type { scenario } from './crash-scenario.ts'

describe.skipIf(noNamespaces)('a server that is killed (kill -9)', () => {
  let seen: Awaited<ReturnType<typeof scenario>>
  beforeAll(async () => void (seen = await inNamespace(new URL('crash-scenario.ts', import.meta.url))))

  it('had the lease on disk before the machine had its address', () => {
    expect(seen.before).toMatchObject({ ip: '10.77.0.100' })
    expect(seen.leases).toEqual(['02-00-00-00-00-01 10.77.0.100'])
  })
  it('gives the address to nobody else when it is back, and to its machine again', () => {
    expect(seen.toAnother).toMatchObject({ ip: '10.77.0.101' })
    expect(seen.again).toMatchObject({ ip: '10.77.0.100' })
  })
  it('never leaves a machine with an address that is not on disk', () => {
    const given = seen.during === 'none' ? [] : [`02-00-00-00-00-03 ${seen.during.ip}`]
    expect(seen.leasesThen).toEqual(expect.arrayContaining(given))
    expect(seen.leasesThen).toEqual(expect.arrayContaining(['02-00-00-00-00-01 10.77.0.100', '02-00-00-00-00-02 10.77.0.101']))
  })
})
