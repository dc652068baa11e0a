import { formatIpv4, parseIpv4 } from '../ipv4.ts'
import { isInRange, type AddressRange } from './network.ts'

/** An address given to a machine. */
export interface Lease {
  /** Machine id, for example `52-54-00-12-34-56`. */
  machine: string
  address: string
  /** Milliseconds since 1970. A lease that has run out is kept, so that the machine gets the same address again while nobody else needs it. */
  expiresAt: number
}

export interface LeaseTableOptions {
  /** Addresses that may be given, one range for each network. */
  ranges: readonly AddressRange[]
  /** Addresses inside the ranges that are somebody's already, for example the server's own. */
  taken: readonly string[]
  /** Addresses kept for one machine each, inside a range or outside: machine id to address. */
  reservations: ReadonlyMap<string, string>
  leases: readonly Lease[]
}

/** How long an address stays held for the machine that it was offered to. */
const offerMs = 60_000
/** How long an address that a machine found in use is left alone; dnsmasq's DECLINE_BACKOFF. */
const quarantineMs = 600_000

/**
 * Who has which address, by MAC: firmware, iPXE and operating system of one machine send different client identifiers (option 61) and would get
 * three addresses. Every method takes the time, so that the table is a plain value to test. `LeaseTable` writes nothing: see `lease-file.ts`.
 */
export class LeaseTable {
  readonly #ranges: readonly AddressRange[]
  readonly #taken: ReadonlySet<string>
  readonly #reservations: ReadonlyMap<string, string>
  readonly #reservedFor: ReadonlyMap<string, string>
  readonly #byMachine = new Map<string, Lease & { isBound: boolean }>()
  readonly #byAddress = new Map<string, string>()
  readonly #quarantinedUntil = new Map<string, number>()
  /** Below this number every address of a range is used, so that the search in a large range need not begin anew for each machine. */
  readonly #usedBelow = new Map<AddressRange, number>()

  constructor({ ranges, taken, reservations, leases }: LeaseTableOptions) {
    this.#ranges = ranges
    this.#taken = new Set(taken)
    this.#reservations = reservations
    this.#reservedFor = new Map([...reservations].map(([machine, address]) => [address, machine]))
    for (const lease of leases) if (this.contains(lease.address)) this.#hold({ ...lease, isBound: true })
  }

  /** Whether an address is one that may be given to somebody. */
  contains(address: string): boolean {
    return this.#reservedFor.has(address) || (!this.#taken.has(address) && this.#ranges.some((range) => isInRange(address, range)))
  }

  /**
   * The address to offer: the one kept for the machine, its own, the one it wants, one never used, or the one unused for longest; undefined when all
   * are taken. `fits` tells the addresses of the machine's network, where only those of `range` are for everybody.
   */
  offer(machine: string, wanted: string | undefined, nowMs: number, { range, fits }: { range: AddressRange; fits: (address: string) => boolean }): string | undefined {
    const known = this.#byMachine.get(machine)
    const address =
      [this.#reservations.get(machine), known?.address, wanted].find(
        (candidate) => candidate !== undefined && fits(candidate) && this.isFreeFor(machine, candidate, nowMs),
      ) ??
      this.#neverUsed(range, nowMs) ??
      this.#longestUnused(range, nowMs)
    if (address === undefined) return undefined
    const lease = known?.address === address ? known : undefined
    this.#hold({ machine, address, isBound: lease?.isBound ?? false, expiresAt: Math.max(lease?.expiresAt ?? 0, nowMs + offerMs) })
    return address
  }

  /** The address that a machine was offered or holds, also when the time has run out. */
  addressOf(machine: string): string | undefined {
    return this.#byMachine.get(machine)?.address
  }

  machineAt(address: string): string | undefined {
    return this.#byAddress.get(address)
  }

  /** Whether the machine has the address as its own, and not only as an offer. */
  isBound(machine: string): boolean {
    return this.#byMachine.get(machine)?.isBound ?? false
  }

  /** Whether the machine may have the address: one to give, in no quarantine, nobody else's, and not another than the one kept for it. */
  isFreeFor(machine: string, address: string, nowMs: number): boolean {
    if (!this.#isUnheld(machine, address, nowMs)) return false
    const own = this.#reservations.get(machine)
    return own === undefined || own === address || !this.#isUnheld(machine, own, nowMs)
  }

  /** Makes the address the machine's own until `expiresAt`. */
  bind(lease: Lease): void {
    this.#hold({ ...lease, isBound: true })
  }

  /** Takes back an offer that the machine did not accept; a lease stays. */
  withdraw(machine: string): void {
    if (this.#byMachine.get(machine)?.isBound === false) this.#drop(machine)
  }

  /** The machine needs its address no longer. */
  release(machine: string, nowMs: number): void {
    const lease = this.#byMachine.get(machine)
    if (lease !== undefined) lease.expiresAt = Math.min(lease.expiresAt, nowMs)
  }

  /** Somebody who has no lease of ours uses the address that the machine was given. */
  decline(machine: string, nowMs: number): void {
    const address = this.addressOf(machine)
    if (address === undefined) return
    this.#drop(machine)
    this.#quarantinedUntil.set(address, nowMs + quarantineMs)
  }

  /** The lease of a machine, to be kept on disk; an offer is none. */
  leaseOf(machine: string): Lease | undefined {
    const held = this.#byMachine.get(machine)
    if (held?.isBound !== true) return undefined
    const { isBound: _, ...lease } = held
    return lease
  }

  /** All leases; offers are not among them. */
  bound(): Lease[] {
    return [...this.#byMachine.keys()].flatMap((machine) => this.leaseOf(machine) ?? [])
  }

  #isUnheld(machine: string, address: string, nowMs: number): boolean {
    if (!this.contains(address) || (this.#quarantinedUntil.get(address) ?? 0) > nowMs) return false
    if ((this.#reservedFor.get(address) ?? machine) !== machine) return false
    const holder = this.#byAddress.get(address)
    return holder === undefined || holder === machine || (this.#byMachine.get(holder)?.expiresAt ?? 0) <= nowMs
  }

  #neverUsed(range: AddressRange, nowMs: number): string | undefined {
    const last = parseIpv4(range.last)
    let isAllUsed = true
    for (let number = this.#usedBelow.get(range) ?? parseIpv4(range.first); number <= last; number++) {
      const address = formatIpv4(number)
      if (this.#byAddress.has(address) || this.#taken.has(address) || this.#reservedFor.has(address)) {
        if (isAllUsed) this.#usedBelow.set(range, number + 1)
        continue
      }
      // One in quarantine is free some day.
      isAllUsed = false
      if (this.#isUnheld('', address, nowMs)) return address
    }
    return undefined
  }

  #longestUnused(range: AddressRange, nowMs: number): string | undefined {
    const unused = [...this.#byMachine.values()].filter(({ address }) => isInRange(address, range) && this.#isUnheld('', address, nowMs))
    return unused.toSorted((a, b) => a.expiresAt - b.expiresAt)[0]?.address
  }

  #hold(lease: Lease & { isBound: boolean }): void {
    this.#drop(lease.machine)
    const holder = this.#byAddress.get(lease.address)
    if (holder !== undefined) this.#drop(holder)
    this.#byMachine.set(lease.machine, lease)
    this.#byAddress.set(lease.address, lease.machine)
  }

  #drop(machine: string): void {
    const lease = this.#byMachine.get(machine)
    if (lease === undefined) return
    this.#byMachine.delete(machine)
    this.#byAddress.delete(lease.address)
    const number = parseIpv4(lease.address)
    for (const [range, from] of this.#usedBelow) if (isInRange(lease.address, range) && number < from) this.#usedBelow.set(range, number)
  }
}
