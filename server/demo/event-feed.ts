import type { MachineEvent } from '../api/event.ts'

/** Everything heard of the machines so far, and a way to wait for more. */
export interface EventFeed {
  add(event: MachineEvent): void
  /** Calls `listener` with each event of one machine from now on, until the returned function is called. */
  follow(machine: string, listener: (event: MachineEvent) => void): () => void
  /** The last address that DHCP gave to a machine since `sinceMs` (milliseconds since 1970), or the next; rejects when `signal` is aborted. */
  addressOf(machine: string, sinceMs: number, signal: AbortSignal): Promise<string>
}

export function createEventFeed(): EventFeed {
  const addresses = new Map<string, { address: string; atMs: number }>()
  const listeners = new Map<string, Set<(event: MachineEvent) => void>>()
  const follow: EventFeed['follow'] = (machine, listener) => {
    const those = listeners.get(machine) ?? new Set()
    listeners.set(machine, those.add(listener))
    return () => those.delete(listener)
  }
  return {
    add(event) {
      if (event.hop === 'dhcp-ack') addresses.set(event.machine, { address: event.address, atMs: Date.parse(event.time) })
      for (const listener of [...(listeners.get(event.machine) ?? [])]) listener(event)
    },
    follow,
    addressOf: (machine, sinceMs, signal) =>
      new Promise((resolve, reject) => {
        const known = addresses.get(machine)
        if (known !== undefined && known.atMs >= sinceMs) return resolve(known.address)
        const unfollow = follow(machine, (event) => {
          if (event.hop !== 'dhcp-ack') return
          unfollow()
          resolve(event.address)
        })
        signal.addEventListener('abort', () => (unfollow(), reject(signal.reason)), { once: true })
      }),
  }
}
