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
  it('gets its boot script, and so does one beside us', () => expect(seen.scripts.own).toEqual(['200', '200']))
  it('gets nobody else a ticket, nor anybody else its own, and that is told', () => {
    expect(seen.scripts.others).toEqual(['403', '403', '403'])
    expect(seen.refused).toEqual([
      '02-00-00-00-00-09 10.78.0.100 it was given 10.77.0.100',
      '02-00-00-00-00-08 10.77.0.100 it was given 10.78.0.100',
      '02-00-00-00-00-0a 10.77.0.100 it was given no address here',
    ])
  })
  it('is not answered where its network is not configured', () => expect(seen.unknown).toBe('none'))
})
