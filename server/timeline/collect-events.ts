import type { MachineEvent } from '../api/event.ts'
import { addEvent } from './add-event.ts'

/** The machines heard of least recently are forgotten first. */
const mostMachines = 5000

/** The latest events of each machine, oldest first; the machines by when they were last heard of, the latest last. */
export interface CollectedEvents {
  readonly machines: ReadonlyMap<string, readonly MachineEvent[]>
  /** Takes a line of `events.ndjson` in; one that is no event, as a crash may leave, is passed over. */
  add(line: string): void
}

export function collectEvents(): CollectedEvents {
  const machines = new Map<string, MachineEvent[]>()
  return {
    machines,
    add(line) {
      const event = eventIn(line)
      if (event === undefined) return
      const events = machines.get(event.machine) ?? []
      addEvent(events, event)
      machines.delete(event.machine)
      machines.set(event.machine, events)
      for (const oldest of machines.keys()) {
        if (machines.size <= mostMachines) break
        machines.delete(oldest)
      }
    },
  }
}

function eventIn(line: string): MachineEvent | undefined {
  try {
    const event = JSON.parse(line) as MachineEvent | null
    return typeof event?.machine === 'string' ? event : undefined
  } catch {
    return undefined
  }
}
