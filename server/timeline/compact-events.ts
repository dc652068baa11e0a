import { randomUUID } from 'node:crypto'
import { open, rename, rm, type FileHandle } from 'node:fs/promises'
import { collectEvents } from './collect-events.ts'
import { readLines } from '../read-lines.ts'
import { selectEvents, type EventLimits } from './select-events.ts'

export interface CompactOptions extends EventLimits {
  /** Nobody appends to the file while `act` runs. */
  alone: <Result>(act: () => Promise<Result>) => Promise<Result>
}

/**
 * Writes a file of events anew with what is to be kept, and puts it in the place of the one before in one step: a crash at any point leaves the old file or
 * the new one. Others may append meanwhile, but for the moment of the change. Returns the size of the new file; nothing when somebody else did the same.
 */
export async function compactEvents(path: string, { alone, ...limits }: CompactOptions): Promise<number | undefined> {
  const old = await open(path, 'r')
  const beside = `${path}.${randomUUID().replaceAll('-', '').slice(0, 12)}.tmp`
  try {
    const { size, ino } = await old.stat()
    const events = collectEvents()
    const end = await readLines(old, { start: 0, end: size }, events.add)
    const lines = await selectEvents(events.machines, limits)
    const file = await open(beside, 'wx')
    try {
      // Tells this file from the one before it also where it has its inode; no reader takes it for an event.
      await file.appendFile(`${JSON.stringify({ compacted: randomUUID() })}\n`)
      for (let index = 0; index < lines.length; index += linesAtOnce) await file.appendFile(lines.slice(index, index + linesAtOnce).join(''))
      return await alone(async () => {
        const now = await open(path, 'r')
        try {
          if ((await now.stat()).ino !== ino) return undefined
          await copyFrom(now, end, file)
        } finally {
          await now.close()
        }
        await file.sync()
        await rename(beside, path)
        return (await file.stat()).size
      })
    } finally {
      await file.close()
    }
  } finally {
    await old.close()
    await rm(beside, { force: true })
  }
}

const linesAtOnce = 2000

/** Copies what came into a file while it was read. */
async function copyFrom(source: FileHandle, start: number, target: FileHandle): Promise<void> {
  const { size } = await source.stat()
  if (size === start) return
  const bytes = Buffer.alloc(size - start)
  const { bytesRead } = await source.read(bytes, 0, bytes.length, start)
  await target.appendFile(bytes.subarray(0, bytesRead))
}
