import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Logger } from 'pino'
import type { MachineEvent } from './api/event.ts'
import { createDirectoryLock } from './directory-lock.ts'
import { appendToFile } from './durable-file.ts'
import { compactEvents } from './timeline/compact-events.ts'
import type { EventLimits } from './timeline/select-events.ts'

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
  /** Resolves when what was emitted so far is in the file, or could not be written there. */
  written(): Promise<void>
  close(): Promise<void>
}

export interface EventLogOptions extends Partial<EventLimits> {
  log?: Logger
  /** A file that has grown so large is written anew with what is kept, in bytes. Default 4 MiB, and never less than twice what was kept. */
  compactBytes?: number
}

const defaults = { bootsPerMachine: 5, totalBytes: 14 * 1024 * 1024, compactBytes: 4 * 1024 * 1024 }

const keptEvents = 10_000
/** Events are gathered for so long before they are written: opening the file for each one costs more than all the rest of a DHCP answer. */
const gatherMs = 10

/**
 * Opens the events of a data directory. What cannot be written, because the disk is full, is written when it can: no job waits for it. Several servers may
 * write to one directory.
 */
export function openEventLog(dataDirectory: string, { log, ...options }: EventLogOptions = {}): EventLog {
  const { compactBytes, ...limits } = { ...defaults, ...options }
  mkdirSync(dataDirectory, { recursive: true })
  const path = join(dataDirectory, 'events.ndjson')
  // Who appends to a file that another process is just putting a new one in the place of would write for nobody.
  const lock = createDirectoryLock(join(dataDirectory, 'events.lock'), async () => {})
  // The lock keeps out others; those of this process take turns.
  let turn: Promise<unknown> = Promise.resolve()
  const alone = <Result>(act: () => Promise<Result>): Promise<Result> => {
    const done = turn.then(() => (isClosed ? act() : lock.hold(act)))
    turn = done.catch(() => {})
    return done
  }
  const events: NumberedEvent[] = []
  const listeners = new Set<(event: NumberedEvent) => void>()
  // Numbers rise over a new start too, so that a follower who comes back then misses nothing: microseconds since 1970.
  let last = Date.now() * 1000

  let unwritten: string[] = []
  let writing: Promise<void> | undefined
  let failed = false
  let isClosed = false
  const write = async (): Promise<void> => {
    await sleep(gatherMs)
    while (unwritten.length > 0) {
      const lines = unwritten
      unwritten = []
      try {
        const sizeBytes = await alone(() => appendToFile(path, lines.join('')))
        if (sizeBytes > compactAtBytes && !isClosed) startCompacting()
        if (failed) log?.info('events are written again')
        failed = false
      } catch (error) {
        unwritten = [...lines, ...unwritten].slice(-keptEvents)
        if (!failed) log?.error({ err: error }, 'events cannot be written')
        failed = true
        // The next event tries again.
        break
      }
    }
    // At once, and not when the promise settles: an event that comes in between would wait for the one after it.
    writing = undefined
  }
  const startWriting = (): void => {
    writing ??= write()
  }

  let compactAtBytes = compactBytes
  let compacting: Promise<void> | undefined
  const compact = async (): Promise<void> => {
    try {
      const keptBytes = await compactEvents(path, { ...limits, alone })
      if (keptBytes === undefined) return
      compactAtBytes = Math.max(compactBytes, 2 * keptBytes)
      log?.info({ keptBytes }, 'events of long ago were taken away')
    } catch (error) {
      log?.error({ err: error }, 'events of long ago cannot be taken away')
      // Not at each event from now on: the disk may be full.
      compactAtBytes *= 2
    }
  }
  const startCompacting = (): void => {
    compacting ??= compact().finally(() => (compacting = undefined))
  }

  return {
    emit(event) {
      const numbered: NumberedEvent = { number: ++last, event: { time: new Date().toISOString(), ...event } as MachineEvent }
      events.push(numbered)
      if (events.length > keptEvents) events.shift()
      unwritten.push(`${JSON.stringify(numbered.event)}\n`)
      startWriting()
      for (const listener of listeners) listener(numbered)
    },
    since: (number) => events.filter((event) => event.number > number),
    follow(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    written: async () => writing,
    async close() {
      await writing
      if (unwritten.length > 0) await write()
      await compacting
      // What comes after this is written all the same.
      isClosed = true
      await writing
      lock.close()
    },
  }
}
