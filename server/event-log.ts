import { createWriteStream, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import type { MachineEvent } from './api/event.ts'

/** A `MachineEvent` before it is given its time. */
export type NewMachineEvent = MachineEvent extends infer Each ? (Each extends MachineEvent ? Omit<Each, 'time'> : never) : never
export type Emit = (event: NewMachineEvent) => void

/** An event with its number: what a follower that lost its connection asks to go on after. */
export interface NumberedEvent {
  number: number
  event: MachineEvent
}

/** What happened to the machines, in order: kept in `events.ndjson`, the latest in memory for those who follow (F8). */
export interface EventLog {
  emit: Emit
  /** The kept events after `number`, oldest first; the latest 10,000 at most. */
  since(number: number): NumberedEvent[]
  /** Calls `listener` with each event from now on, until the returned function is called. */
  follow(listener: (event: NumberedEvent) => void): () => void
  close(): Promise<void>
}

const keptEvents = 10_000

export function openEventLog(dataDirectory: string): EventLog {
  mkdirSync(dataDirectory, { recursive: true })
  const file = createWriteStream(join(dataDirectory, 'events.ndjson'), { flags: 'a' })
  const events: NumberedEvent[] = []
  const listeners = new Set<(event: NumberedEvent) => void>()
  let last = 0
  return {
    emit(event) {
      const numbered: NumberedEvent = { number: ++last, event: { time: new Date().toISOString(), ...event } as MachineEvent }
      events.push(numbered)
      if (events.length > keptEvents) events.shift()
      file.write(`${JSON.stringify(numbered.event)}\n`)
      for (const listener of listeners) listener(numbered)
    },
    since: (number) => events.filter((event) => event.number > number),
    follow(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    close: () => new Promise((resolve) => file.end(() => resolve())),
  }
}
