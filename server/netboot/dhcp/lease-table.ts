import { formatIpv4, parseIpv4 } from '../ipv4.ts'

/** An address given to a machine. */
export interface Lease {
  /** Machine id, for example `52-54-00-12-34-56`. */
  machine: string
  address: string
  /** Milliseconds since 1970. A lease that has run out is kept, so that the machine gets the same address again while nobody else needs it. */
  expiresAt: number
}

export interface LeaseTableOptions {
  /** First and last address that may be given. */
  range: { first: string; last: string }
  /** Addresses inside the range that are somebody's already, for example the server's own. */
  reserved: readonly string[]
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
  readonly #first: number
  readonly #last: number
  readonly #reserved: ReadonlySet<string>
  readonly #byMachine = new Map<string, Lease & { isBound: boolean }>()
  readonly #byAddress = new Map<string, string>()
  readonly #quarantinedUntil = new Map<string, number>()

  constructor({ range, reserved, leases }: LeaseTableOptions) {
    this.#first = parseIpv4(range.first)
    this.#last = parseIpv4(range.last)
    this.#reserved = new Set(reserved)
    for (const lease of leases) if (this.contains(lease.address)) this.#hold({ ...lease, isBound: true })
  }

  /** Whether an address is one that may be given. */
  contains(address: string): boolean {
    const number = parseIpv4(address)
    return number >= this.#first && number <= this.#last && !this.#reserved.has(address)
  }

  /** The address to offer: the machine's own, the one it wants, one never used, or the one unused for longest; undefined when all are taken. */
  offer(machine: string, wanted: string | undefined, nowMs: number): string | undefined {
    const known = this.#byMachine.get(machine)
    const address =
      [known?.address, wanted].find((candidate) => candidate !== undefined && this.isFreeFor(machine, candidate, nowMs)) ??
      this.#neverUsed(nowMs) ??
      this.#longestUnused(nowMs)
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

  /** Whether the machine may have the address: in the range, in no quarantine, and nobody else's. */
  isFreeFor(machine: string, address: string, nowMs: number): boolean {
    if (!this.contains(address) || (this.#quarantinedUntil.get(address) ?? 0) > nowMs) return false
    const holder = this.#byAddress.get(address)
    return holder === undefined || holder === machine || (this.#byMachine.get(holder)?.expiresAt ?? 0) <= nowMs
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

  /** The machine found its address in use by somebody else. */
  decline(machine: string, nowMs: number): void {
    const address = this.addressOf(machine)
    if (address === undefined) return
    this.#drop(machine)
    this.#quarantinedUntil.set(address, nowMs + quarantineMs)
  }

  /** The leases to keep on disk; offers are not among them. */
  bound(): Lease[] {
    return [...this.#byMachine.values()].filter(({ isBound }) => isBound).map(({ isBound: _, ...lease }) => lease)
  }

  #neverUsed(nowMs: number): string | undefined {
    for (let number = this.#first; number <= this.#last; number++) {
      const address = formatIpv4(number)
      if (!this.#byAddress.has(address) && this.isFreeFor('', address, nowMs)) return address
    }
    return undefined
  }

  #longestUnused(nowMs: number): string | undefined {
    const unused = [...this.#byMachine.values()].filter(({ address }) => this.isFreeFor('', address, nowMs))
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
  }
}
