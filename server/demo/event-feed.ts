import type { MachineEvent } from '../api/event.ts'

/** What is heard of the machines, as it comes. */
export interface EventFeed {
  add(event: MachineEvent): void
  /** Calls `listener` with each event of one machine from now on, until the returned function is called. */
  follow(machine: string, listener: (event: MachineEvent) => void): () => void
}

export function createEventFeed(): EventFeed {
  const listeners = new Map<string, Set<(event: MachineEvent) => void>>()
  return {
    add(event) {
      for (const listener of [...(listeners.get(event.machine) ?? [])]) listener(event)
    },
    follow(machine, listener) {
      const those = listeners.get(machine) ?? new Set()
      listeners.set(machine, those.add(listener))
      return () => those.delete(listener)
    },
  }
}
