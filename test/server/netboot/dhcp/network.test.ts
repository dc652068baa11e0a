import { expect, it } from 'vitest'
import { nameOfNetwork, networkOf, type BootNetwork } from '../../../../server/netboot/dhcp/network.ts'
import { address, question, type DatagramFields } from './datagram.ts'

const network = (third: number): BootNetwork => ({
  address: `10.${third}.0.1`,
  prefixLength: 24,
  range: { first: `10.${third}.0.100`, last: `10.${third}.0.199` },
  router: undefined,
})
const networks = [network(77), network(78)] as const
const seenFrom = (fields: DatagramFields, isBroadcast = true) => {
  const found = networkOf(question(fields, { isBroadcast }), networks)
  return found && nameOfNetwork(found)
}

it.each<[title: string, fields: DatagramFields, isBroadcast: boolean, expected: string | undefined]>([
  ['heard on our wire', {}, true, '10.77.0.0/24'],
  ['heard on our wire, with an address of another network', { type: 'request', ciaddr: '10.78.0.100' }, true, '10.77.0.0/24'],
  ['by the relay of a network', { giaddr: '10.78.0.1' }, false, '10.78.0.0/24'],
  ['by a relay that is not configured', { giaddr: '10.79.0.1' }, false, undefined],
  ['by a relay that names the network (RFC 3527)', { giaddr: '10.79.0.1', options: [[82, [1, 1, 7, 5, 4, ...address('10.78.0.0')]]] }, false, '10.78.0.0/24'],
  ['by a relay that names the network badly', { giaddr: '10.78.0.1', options: [[82, [5, 4, 10, 79]]] }, false, '10.78.0.0/24'],
  ['renewing from behind a router', { type: 'request', ciaddr: '10.78.0.100' }, false, '10.78.0.0/24'],
  ['renewing from nowhere', { type: 'request', ciaddr: '10.99.0.100' }, false, '10.77.0.0/24'],
])('a machine %s', (_, fields, isBroadcast, expected) => expect(seenFrom(fields, isBroadcast)).toBe(expected))
