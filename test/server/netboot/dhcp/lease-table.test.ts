import { describe, expect, it } from 'vitest'
import { LeaseTable, type Lease } from '../../../../server/netboot/dhcp/lease-table.ts'

/** A table of one range, asked by machines of its network. */
function table(first = '10.77.0.100', last = '10.77.0.102', leases: Lease[] = [], taken: string[] = [], reservations: [string, string][] = []) {
  const range = { first, last }
  const all = new LeaseTable({ ranges: [range], taken, reservations: new Map(reservations), leases })
  return Object.assign(all, {
    offerHere: (machine: string, wanted: string | undefined, nowMs: number) =>
      all.offer(machine, wanted, nowMs, { range, fits: (address) => address.startsWith('10.77.') }),
  })
}
const [a, b, c, d] = ['1', '2', '3', '4'].map((digit) => `02-00-00-00-00-0${digit}`) as [string, string, string, string]
const lease = (machine: string, address: string, expiresAt: number): Lease => ({ machine, address, expiresAt })

describe('which address a machine is offered', () => {
  it('its own again, also after its time', () => {
    expect(table(undefined, undefined, [lease(a, '10.77.0.102', 5)]).offerHere(a, '10.77.0.101', 1000)).toBe('10.77.0.102')
  })
  it('the one it wants, when that is free', () => expect(table().offerHere(a, '10.77.0.101', 0)).toBe('10.77.0.101'))
  it('not one outside the range', () => expect(table().offerHere(a, '10.77.0.7', 0)).toBe('10.77.0.100'))
  it('not one that somebody else holds', () =>
    expect(table(undefined, undefined, [lease(b, '10.77.0.100', 5000)]).offerHere(a, '10.77.0.100', 0)).toBe('10.77.0.101'))
  it('not one that is taken otherwise', () => expect(table(undefined, undefined, [], ['10.77.0.100']).offerHere(a, undefined, 0)).toBe('10.77.0.101'))
  it('one never used before one whose time is over', () => {
    expect(table(undefined, undefined, [lease(b, '10.77.0.100', 5)]).offerHere(a, undefined, 1000)).toBe('10.77.0.101')
  })
  it('when all were used, the one unused for longest', () => {
    const full = table(undefined, undefined, [lease(a, '10.77.0.100', 7), lease(b, '10.77.0.101', 5), lease(c, '10.77.0.102', 5000)])
    expect(full.offerHere(d, undefined, 1000)).toBe('10.77.0.101')
    expect(full.addressOf(b)).toBeUndefined()
  })
  it('none when all are held', () => {
    const full = table('10.77.0.100', '10.77.0.100', [lease(a, '10.77.0.100', 5000)])
    expect(full.offerHere(b, undefined, 1000)).toBeUndefined()
  })
  it('one across the end of an octet', () => {
    const wide = table('10.77.0.255', '10.77.1.0')
    expect([wide.offerHere(a, undefined, 0), wide.offerHere(b, undefined, 0)]).toEqual(['10.77.0.255', '10.77.1.0'])
  })
})

it('an offer is held for a minute and is no lease', () => {
  const leases = table('10.77.0.100', '10.77.0.100')
  leases.offerHere(a, undefined, 0)
  expect(leases.offerHere(b, undefined, 59_000)).toBeUndefined()
  expect(leases.bound()).toEqual([])
  expect(leases.offerHere(b, undefined, 61_000)).toBe('10.77.0.100')
})

it('a lease whose time is over is held while it is offered again', () => {
  const leases = table('10.77.0.100', '10.77.0.100', [lease(a, '10.77.0.100', 5)])
  leases.offerHere(a, undefined, 1000)
  expect(leases.offerHere(b, undefined, 2000)).toBeUndefined()
})

it('a released address is free for others, and remembered while nobody needs it', () => {
  const leases = table('10.77.0.100', '10.77.0.100', [lease(a, '10.77.0.100', 5000)])
  leases.release(a, 1000)
  expect(leases.machineAt('10.77.0.100')).toBe(a)
  expect(leases.offerHere(b, undefined, 1001)).toBe('10.77.0.100')
  expect(leases.machineAt('10.77.0.100')).toBe(b)
})

it('a declined address is left alone for ten minutes', () => {
  const leases = table('10.77.0.100', '10.77.0.100', [lease(a, '10.77.0.100', 5000)])
  leases.decline(a, 1000)
  expect(leases.offerHere(a, '10.77.0.100', 600_999)).toBeUndefined()
  expect(leases.offerHere(a, '10.77.0.100', 601_000)).toBe('10.77.0.100')
})

it('leases outside a range that was changed are forgotten', () => {
  expect(table(undefined, undefined, [lease(a, '10.77.0.7', 5000)]).bound()).toEqual([])
})

describe('an address kept for a machine', () => {
  const kept = (leases: Lease[] = []) => table(undefined, undefined, leases, [], [[a, '10.77.0.100'], [b, '10.77.0.9']])
  it('is offered to it before any other, also outside the range', () => {
    expect([kept().offerHere(a, '10.77.0.101', 0), kept().offerHere(b, undefined, 0)]).toEqual(['10.77.0.100', '10.77.0.9'])
  })
  it('is offered to nobody else', () => {
    const leases = kept()
    expect([c, d, '02-00-00-00-00-05'].map((machine) => leases.offerHere(machine, '10.77.0.100', 0))).toEqual(['10.77.0.101', '10.77.0.102', undefined])
    expect(leases.isFreeFor(c, '10.77.0.9', 0)).toBe(false)
  })
  it('takes the place of the one that it held before', () => {
    const leases = kept([lease(a, '10.77.0.102', 5000)])
    expect(leases.isFreeFor(a, '10.77.0.102', 0)).toBe(false)
    expect(leases.offerHere(a, '10.77.0.102', 0)).toBe('10.77.0.100')
  })
  it('is waited for while another machine still has it', () => {
    const leases = kept([lease(c, '10.77.0.100', 5000)])
    expect(leases.offerHere(a, undefined, 0)).toBe('10.77.0.101')
    expect(leases.offerHere(a, undefined, 5000)).toBe('10.77.0.100')
  })
  it('survives on disk outside the range', () => expect(kept([lease(b, '10.77.0.9', 5000)]).bound()).toHaveLength(1))
  it('is of no use on another network', () => {
    const range = { first: '10.78.0.100', last: '10.78.0.101' }
    const leases = new LeaseTable({ ranges: [range], taken: [], reservations: new Map([[a, '10.77.0.9']]), leases: [] })
    expect(leases.offer(a, '10.77.0.9', 0, { range, fits: (address) => address.startsWith('10.78.') })).toBe('10.78.0.100')
  })
})

it('an address below used ones is found again when it becomes free', () => {
  const leases = table()
  for (const machine of [a, b, c]) leases.offerHere(machine, undefined, 0)
  leases.withdraw(a)
  expect(leases.offerHere(d, undefined, 0)).toBe('10.77.0.100')
})

it('an address that was left alone is found again, though others behind it were given meanwhile', () => {
  const leases = table()
  leases.offerHere(a, undefined, 0)
  leases.decline(a, 0)
  expect([leases.offerHere(b, undefined, 0), leases.offerHere(c, undefined, 0), leases.offerHere(d, undefined, 0)]).toEqual(['10.77.0.101', '10.77.0.102', undefined])
  expect(leases.offerHere(d, undefined, 600_000)).toBe('10.77.0.100')
})
