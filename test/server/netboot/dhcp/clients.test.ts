import { beforeAll, describe, expect, it } from 'vitest'
import { inNamespace, noNamespaces } from '../../../helpers/namespace.ts'
import type { scenario } from './clients-scenario.ts'

describe.skipIf(noNamespaces)('DHCP clients of Debian, on a network of their own', () => {
  let seen: Awaited<ReturnType<typeof scenario>>
  beforeAll(async () => void (seen = await inNamespace(new URL('clients-scenario.ts', import.meta.url))))

  it('udhcpc gets an address with the settings of the network', () => {
    expect(seen.bound).toBe('bound ip=10.77.0.100 mask=24 router=10.77.0.254 dns=10.77.0.2 domain=rack.example server=10.77.0.1 lease=3600')
  })
  it('each message becomes an event of the machine', () => expect(seen.hops).toEqual(['dhcp-discover', 'dhcp-offer', 'dhcp-ack']))
  it('udhcpc renews, by unicast', () => expect(seen.renewed).toMatch(/^renew ip=10\.77\.0\.100 /))
  it('dhclient gets the next address', () => {
    expect(seen.dhclientAnew.map((line) => line.split(' ')[0])).toEqual(['DHCPDISCOVER', 'DHCPOFFER', 'DHCPREQUEST', 'DHCPACK', 'bound'])
    expect(seen.dhclientAnew.at(-1)).toBe('bound to 10.77.0.101')
  })
  it('dhclient takes up its address again', () => expect(seen.dhclientAgain.at(-1)).toBe('bound to 10.77.0.101'))
  it('dhclient is refused the address of another network, and given ours', () => {
    expect(seen.dhclientFromElsewhere.some((line) => line.startsWith('DHCPNAK'))).toBe(true)
    expect(seen.dhclientFromElsewhere.at(-1)).toBe('bound to 10.77.0.101')
  })
  it('a restarted server knows the lease', () => expect(seen.afterRestart.at(-1)).toBe('bound to 10.77.0.101'))
  it('when all addresses are taken the next machine gets no answer', () => expect(seen.full).toEqual(['lease', 'no lease']))
  it('until one is released', () => {
    expect(seen.afterRelease).toBe('lease')
    expect(seen.takenOver).toBe('10.77.0.100')
  })
})
