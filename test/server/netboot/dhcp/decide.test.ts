import { describe, expect, it } from 'vitest'
import { decide } from '../../../../server/netboot/dhcp/decide.ts'
import { LeaseTable } from '../../../../server/netboot/dhcp/lease-table.ts'
import type { DhcpSettings } from '../../../../server/netboot/dhcp/settings.ts'
import { address, question, type DatagramFields } from './datagram.ts'

const range = { first: '10.77.0.100', last: '10.77.0.101' }
const settings: DhcpSettings = {
  serverAddress: '10.77.0.1',
  httpUrl: 'http://10.77.0.1:8080',
  policies: [],
  networks: [{ address: '10.77.0.1', prefixLength: 24, range, router: undefined }],
  leaseSeconds: 3600,
  nameServers: [],
  domain: undefined,
}
const me = '02-00-00-00-00-01'
const other = '02-00-00-00-00-02'
const here: [number, number[]] = [54, address('10.77.0.1')]
const wanting = (text: string): [number, number[]] => [50, address(text)]

function setUp(mine?: string, theirs?: string, more: Partial<DhcpSettings> = {}) {
  const leases = new LeaseTable({ ranges: [range], taken: [], reservations: new Map(), leases: [] })
  if (mine !== undefined) leases.bind({ machine: me, address: mine, expiresAt: 10_000_000 })
  if (theirs !== undefined) leases.bind({ machine: other, address: theirs, expiresAt: 10_000_000 })
  return { leases, ask: (fields: DatagramFields) => decide(question(fields), leases, { ...settings, ...more }, 1000) }
}

describe('DISCOVER', () => {
  it('is answered by an offer that is not a lease yet', () => {
    const { leases, ask } = setUp()
    expect(ask({})).toEqual({ kind: 'offer', offer: { kind: 'address', address: '10.77.0.100' }, network: settings.networks[0] })
    expect(leases.bound()).toEqual([])
  })
})

describe('REQUEST', () => {
  it('for the address offered is acknowledged and bound for the lease time', () => {
    const { leases, ask } = setUp()
    ask({})
    expect(ask({ type: 'request', options: [here, wanting('10.77.0.100')] })).toMatchObject({
      kind: 'ack',
      offer: { address: '10.77.0.100' },
    })
    expect(leases.bound()).toEqual([{ machine: me, address: '10.77.0.100', expiresAt: 3_601_000 }])
  })
  it('for another address than offered is refused', () => {
    const { ask } = setUp()
    ask({})
    expect(ask({ type: 'request', options: [here, wanting('10.77.0.101')] })).toEqual({
      kind: 'nak',
      reason: 'asked for 10.77.0.101 but was offered 10.77.0.100',
    })
  })
  it('to another server is left to that one, and the offer is free again', () => {
    const { leases, ask } = setUp()
    ask({})
    expect(ask({ type: 'request', options: [[54, address('10.77.0.9')], wanting('10.77.0.100')] })).toMatchObject({ kind: 'silent' })
    expect(leases.machineAt('10.77.0.100')).toBeUndefined()
  })
  it('after a reboot, for the address held, is acknowledged', () => {
    expect(setUp('10.77.0.101').ask({ type: 'request', options: [wanting('10.77.0.101')] })).toMatchObject({
      kind: 'ack',
      offer: { address: '10.77.0.101' },
    })
  })
  it('after a reboot, for another address than held, is refused', () => {
    expect(setUp('10.77.0.101').ask({ type: 'request', options: [wanting('10.77.0.100')] })).toMatchObject({ kind: 'nak' })
  })
  it('after a reboot, with an address of another network, is refused', () => {
    expect(setUp().ask({ type: 'request', options: [wanting('192.168.1.7')] })).toEqual({
      kind: 'nak',
      reason: '192.168.1.7 is not of this network',
    })
  })
  it('after a reboot, of a machine that is not known, is left unanswered, as RFC 2131 demands', () => {
    expect(setUp().ask({ type: 'request', options: [wanting('10.77.0.100')] })).toMatchObject({ kind: 'silent' })
  })
  it('to renew is acknowledged for a longer time', () => {
    const { leases, ask } = setUp('10.77.0.101')
    expect(ask({ type: 'request', ciaddr: '10.77.0.101' })).toMatchObject({ kind: 'ack', offer: { address: '10.77.0.101' } })
    expect(leases.bound()[0]?.expiresAt).toBe(3_601_000)
  })
  it('to renew what our lease file has lost is acknowledged while the address is free', () => {
    expect(setUp().ask({ type: 'request', ciaddr: '10.77.0.101' })).toMatchObject({ kind: 'ack' })
  })
  it('to renew what another machine holds is refused', () => {
    expect(setUp(undefined, '10.77.0.101').ask({ type: 'request', ciaddr: '10.77.0.101' })).toMatchObject({ kind: 'nak' })
  })
  it('without any address is left unanswered', () => expect(setUp().ask({ type: 'request' })).toMatchObject({ kind: 'silent' }))
})

it('DECLINE takes the address out of use', () => {
  const { leases, ask } = setUp('10.77.0.100')
  expect(ask({ type: 'decline', options: [here, wanting('10.77.0.100')] })).toMatchObject({ kind: 'silent' })
  expect(leases.isFreeFor(me, '10.77.0.100', 1000)).toBe(false)
})

it('RELEASE frees the address, but only for the one who has it', () => {
  const { leases, ask } = setUp('10.77.0.100')
  ask({ type: 'release', mac: '02:00:00:00:00:02', ciaddr: '10.77.0.100' })
  expect(leases.isFreeFor(other, '10.77.0.100', 1000)).toBe(false)
  ask({ type: 'release', ciaddr: '10.77.0.100' })
  expect(leases.isFreeFor(other, '10.77.0.100', 1000)).toBe(true)
})

it('INFORM is answered without a lease', () => {
  const { leases, ask } = setUp()
  expect(ask({ type: 'inform', ciaddr: '10.77.0.50' })).toMatchObject({ kind: 'inform-ack' })
  expect(leases.bound()).toEqual([])
})

it('a full range is told apart from other silences', () => {
  const { leases, ask } = setUp('10.77.0.100', '10.77.0.101')
  expect(leases.offer('02-00-00-00-00-03', undefined, 1000, { range, fits: () => true })).toBeUndefined()
  expect(ask({ mac: '02:00:00:00:00:03' })).toMatchObject({ kind: 'silent', isPoolExhausted: true })
})

describe('a machine that is set to be ignored', () => {
  const policies = [{ machine: me, boot: 'ignore' as const }]
  it.each(['discover', 'request', 'inform'] as const)('gets no answer to %s', (type) => {
    const { leases, ask } = setUp('10.77.0.100', undefined, { policies })
    expect(ask({ type, ciaddr: '10.77.0.100' })).toEqual({ kind: 'silent', reason: 'this machine is set to be ignored' })
    expect(leases.bound()).toMatchObject([{ expiresAt: 10_000_000 }])
  })
  it('takes no address', () => {
    const { leases, ask } = setUp(undefined, undefined, { policies })
    ask({})
    expect(leases.machineAt('10.77.0.100')).toBeUndefined()
  })
})

describe('behind a relay agent', () => {
  const far = { address: '10.78.0.1', prefixLength: 24, range: { first: '10.78.0.100', last: '10.78.0.101' }, router: '10.78.0.1' }
  const relayed = () => {
    const leases = new LeaseTable({ ranges: [range, far.range], taken: [], reservations: new Map(), leases: [] })
    const networks = [settings.networks[0], far] as const
    return { leases, ask: (fields: DatagramFields) => decide(question(fields, { isBroadcast: false }), leases, { ...settings, networks }, 1000) }
  }
  it('a machine is offered an address of its network', () => {
    expect(relayed().ask({ giaddr: '10.78.0.1' })).toEqual({ kind: 'offer', offer: { kind: 'address', address: '10.78.0.100' }, network: far })
  })
  it('a machine that moved there is refused its old address, and offered a new one', () => {
    const { leases, ask } = relayed()
    leases.bind({ machine: me, address: '10.77.0.100', expiresAt: 10_000_000 })
    expect(ask({ type: 'request', giaddr: '10.78.0.1', options: [wanting('10.77.0.100')] })).toEqual({ kind: 'nak', reason: '10.77.0.100 is not of this network' })
    expect(ask({ giaddr: '10.78.0.1', options: [wanting('10.77.0.100')] })).toMatchObject({ offer: { address: '10.78.0.100' } })
  })
  it('a network that is not configured gets no answer', () => {
    expect(setUp().ask({ giaddr: '10.78.0.1' })).toEqual({ kind: 'silent', reason: 'the network of the relay agent 10.78.0.1 is not configured' })
  })
})
