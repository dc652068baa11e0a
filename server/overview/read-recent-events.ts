import { open } from 'node:fs/promises'
import { join } from 'node:path'
import type { MachineEvent } from '../api/event.ts'

/** The last events of a data directory, oldest first, as far as they stand in the last `bytes` of its file. A line that a crash cut short is left out. */
export async function readRecentEvents(dataDirectory: string, bytes = 8 * 1024 * 1024): Promise<MachineEvent[]> {
  const file = await open(join(dataDirectory, 'events.ndjson'), 'r').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined
    throw error
  })
  if (file === undefined) return []
  try {
    const { size } = await file.stat()
    const from = Math.max(0, size - bytes)
    const { buffer, bytesRead } = await file.read(Buffer.alloc(size - from), 0, size - from, from)
    const text = buffer.toString('utf8', 0, bytesRead)
    // The first line is most likely the end of one.
    return (from === 0 ? text : text.slice(text.indexOf('\n') + 1)).split('\n').flatMap(parseLine)
  } finally {
    await file.close()
  }
}

function parseLine(line: string): MachineEvent[] {
  if (line === '') return []
  try {
    return [JSON.parse(line) as MachineEvent]
  } catch {
    return []
  }
}
