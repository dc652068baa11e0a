import { open } from 'node:fs/promises'
import { join } from 'node:path'
import type { MachineEvent } from '../api/event.ts'
import { shareNext } from '../share-next.ts'
import { addEvent } from './add-event.ts'

/** The latest events of each machine, from `events.ndjson`. */
export interface MachineHistories {
  /** Reads what was written since the last call. */
  refresh(): Promise<void>
  /** Ids of the machines that were heard of, in order. */
  machines(): string[]
  /** The events of a machine, oldest first; none for one never heard of. */
  of(machine: string): readonly MachineEvent[]
}

/** What lies further back in a long file is of boots long ago. */
const mostBytes = 32 * 1024 * 1024
/** The machines heard of least recently are forgotten first. */
const mostMachines = 5000

/**
 * Reads from the file, and not from the memory of the one who writes it: two servers may write to one directory, and a command reads it without any. A line
 * that is no event, as a crash may leave, is passed over.
 */
export function openMachineHistories(dataDirectory: string): MachineHistories {
  const path = join(dataDirectory, 'events.ndjson')
  const histories = new Map<string, MachineEvent[]>()
  let inode: number | undefined
  let readBytes = 0

  async function read(): Promise<void> {
    const file = await open(path, 'r').catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return undefined
      throw error
    })
    if (file === undefined) return
    try {
      const { ino, size } = await file.stat()
      if (ino !== inode || size < readBytes) {
        histories.clear()
        inode = ino
        readBytes = Math.max(0, size - mostBytes)
      }
      if (size === readBytes) return
      const bytes = Buffer.alloc(size - readBytes)
      const { bytesRead } = await file.read(bytes, 0, bytes.length, readBytes)
      // Somebody may be in the middle of a line.
      const whole = bytes.subarray(0, bytes.subarray(0, bytesRead).lastIndexOf(0x0a) + 1)
      readBytes += whole.length
      for (const line of whole.toString().split('\n')) keep(line)
    } finally {
      await file.close()
    }
  }

  function keep(line: string): void {
    let event: MachineEvent
    try {
      event = JSON.parse(line) as MachineEvent
    } catch {
      return
    }
    if (typeof event?.machine !== 'string') return
    const events = histories.get(event.machine) ?? []
    addEvent(events, event)
    histories.delete(event.machine)
    histories.set(event.machine, events)
    for (const oldest of histories.keys()) {
      if (histories.size <= mostMachines) break
      histories.delete(oldest)
    }
  }

  return {
    refresh: shareNext(read),
    machines: () => [...histories.keys()].toSorted(),
    of: (machine) => histories.get(machine) ?? [],
  }
}
