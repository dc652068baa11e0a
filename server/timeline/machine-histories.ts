import { open } from 'node:fs/promises'
import { join } from 'node:path'
import type { MachineEvent } from '../api/event.ts'
import { shareNext } from '../share-next.ts'
import { collectEvents } from './collect-events.ts'
import { readLines } from '../read-lines.ts'

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
/** By its beginning a file is told from one that was put in its place and has the same inode. */
const headBytes = 64

/** Reads from the file, and not from the memory of the one who writes it: two servers may write to one directory, and a command reads it without any. */
export function openMachineHistories(dataDirectory: string): MachineHistories {
  const path = join(dataDirectory, 'events.ndjson')
  let histories = collectEvents()
  let identity: { inode: number; head: Buffer } | undefined
  let readBytes = 0

  async function read(): Promise<void> {
    const file = await open(path, 'r').catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return undefined
      throw error
    })
    if (file === undefined) return
    try {
      const { ino: inode, size } = await file.stat()
      const { buffer, bytesRead } = await file.read(Buffer.alloc(headBytes), 0, headBytes, 0)
      const head = buffer.subarray(0, bytesRead)
      const isSame = identity?.inode === inode && size >= readBytes && identity.head.equals(head.subarray(0, identity.head.length))
      // Whoever asks meanwhile is told of what was, and not of a part of what is.
      const target = isSame ? histories : collectEvents()
      readBytes = await readLines(file, { start: isSame ? readBytes : Math.max(0, size - mostBytes), end: size }, target.add)
      histories = target
      identity = { inode, head }
    } finally {
      await file.close()
    }
  }

  return {
    refresh: shareNext(read),
    machines: () => [...histories.machines.keys()].toSorted(),
    of: (machine) => histories.machines.get(machine) ?? [],
  }
}
