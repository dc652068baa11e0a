import { describe, expect, it } from 'vitest'
import { LeaseTable, type Lease } from '../../../../server/netboot/dhcp/lease-table.ts'

const table = (first = '10.77.0.100', last = '10.77.0.102', leases: Lease[] = [], reserved: string[] = []) =>
  new LeaseTable({ range: { first, last }, reserved, leases })
const [a, b, c, d] = ['1', '2', '3', '4'].map((digit) => `02-00-00-00-00-0${digit}`) as [string, string, string, string]
const lease = (machine: string, address: string, expiresAt: number): Lease => ({ machine, address, expiresAt })

describe('which address a machine is offered', () => {
  it('its own again, also after its time', () => {
    expect(table(undefined, undefined, [lease(a, '10.77.0.102', 5)]).offer(a, '10.77.0.101', 1000)).toBe('10.77.0.102')
  })
  it('the one it wants, when that is free', () => expect(table().offer(a, '10.77.0.101', 0)).toBe('10.77.0.101'))
  it('not one outside the range', () => expect(table().offer(a, '10.77.0.7', 0)).toBe('10.77.0.100'))
  it('not one that somebody else holds', () =>
    expect(table(undefined, undefined, [lease(b, '10.77.0.100', 5000)]).offer(a, '10.77.0.100', 0)).toBe('10.77.0.101'))
  it('not one that is reserved', () => expect(table(undefined, undefined, [], ['10.77.0.100']).offer(a, undefined, 0)).toBe('10.77.0.101'))
  it('one never used before one whose time is over', () => {
    expect(table(undefined, undefined, [lease(b, '10.77.0.100', 5)]).offer(a, undefined, 1000)).toBe('10.77.0.101')
  })
  it('when all were used, the one unused for longest', () => {
    const full = table(undefined, undefined, [lease(a, '10.77.0.100', 7), lease(b, '10.77.0.101', 5), lease(c, '10.77.0.102', 5000)])
    expect(full.offer(d, undefined, 1000)).toBe('10.77.0.101')
    expect(full.addressOf(b)).toBeUndefined()
  })
  it('none when all are held', () => {
    const full = table('10.77.0.100', '10.77.0.100', [lease(a, '10.77.0.100', 5000)])
    expect(full.offer(b, undefined, 1000)).toBeUndefined()
  })
  it('one across the end of an octet', () => {
    const wide = table('10.77.0.255', '10.77.1.0')
    expect([wide.offer(a, undefined, 0), wide.offer(b, undefined, 0)]).toEqual(['10.77.0.255', '10.77.1.0'])
  })
})

it('an offer is held for a minute and is no lease', () => {
  const leases = table('10.77.0.100', '10.77.0.100')
  leases.offer(a, undefined, 0)
  expect(leases.offer(b, undefined, 59_000)).toBeUndefined()
  expect(leases.bound()).toEqual([])
  expect(leases.offer(b, undefined, 61_000)).toBe('10.77.0.100')
})

it('a lease whose time is over is held while it is offered again', () => {
  const leases = table('10.77.0.100', '10.77.0.100', [lease(a, '10.77.0.100', 5)])
  leases.offer(a, undefined, 1000)
  expect(leases.offer(b, undefined, 2000)).toBeUndefined()
})

it('a released address is free for others, and remembered while nobody needs it', () => {
  const leases = table('10.77.0.100', '10.77.0.100', [lease(a, '10.77.0.100', 5000)])
  leases.release(a, 1000)
  expect(leases.machineAt('10.77.0.100')).toBe(a)
  expect(leases.offer(b, undefined, 1001)).toBe('10.77.0.100')
  expect(leases.machineAt('10.77.0.100')).toBe(b)
})

it('a declined address is left alone for ten minutes', () => {
  const leases = table('10.77.0.100', '10.77.0.100', [lease(a, '10.77.0.100', 5000)])
  leases.decline(a, 1000)
  expect(leases.offer(a, '10.77.0.100', 600_999)).toBeUndefined()
  expect(leases.offer(a, '10.77.0.100', 601_000)).toBe('10.77.0.100')
})

it('leases outside a range that was changed are forgotten', () => {
  expect(table(undefined, undefined, [lease(a, '10.77.0.7', 5000)]).bound()).toEqual([])
})
