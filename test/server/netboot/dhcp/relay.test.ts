import { beforeAll, describe, expect, it } from 'vitest'
import { inNamespace, noNamespaces } from '../../../helpers/namespace.ts'
import type { scenario } from './relay-scenario.ts'

describe.skipIf(noNamespaces)('a machine behind a DHCP relay agent', () => {
  let seen: Awaited<ReturnType<typeof scenario>>
  beforeAll(async () => void (seen = await inNamespace(new URL('relay-scenario.ts', import.meta.url))))

  it('gets an address of its own network, with the gateway there (smee #382)', () => {
    expect(seen.first).toMatchObject({ ip: '10.78.0.100', mask: '24', router: '10.78.0.1', serverid: '10.77.0.1' })
  })
  it('keeps it, and is not given one of our network that it asks for', () => expect(seen.again).toMatchObject({ ip: '10.78.0.100' }))
  it('leaves the machines beside us their own range', () => expect(seen.near).toMatchObject({ ip: '10.77.0.100' }))
  it('is not answered where its network is not configured', () => expect(seen.unknown).toBe('none'))
})
