import { mkdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { appendToFile, replaceFile } from './durable-file.ts'
import { ifMissing } from './if-missing.ts'

/** The end of what each machine said on its console, over its boots: `machines/<id>.console`. */
export interface MachineConsoles {
  append(id: string, text: string): Promise<void>
  /** Whole lines, at most `keptBytes`; empty for a machine that has said nothing. */
  read(id: string): Promise<string>
}

/** What a kernel says while it boots takes about a third of it. */
export const keptBytes = 128 * 1024

export function openMachineConsoles(dataDirectory: string): MachineConsoles {
  const folder = join(dataDirectory, 'machines')
  const pathOf = (id: string) => join(folder, `${id}.console`)
  /** What is added to a file, one after the other. */
  const turns = new Map<string, Promise<unknown>>()

  const add = async (id: string, text: string): Promise<void> => {
    await mkdir(folder, { recursive: true })
    const sizeBytes = await appendToFile(pathOf(id), withoutControls(text))
    if (sizeBytes > 2 * keptBytes) await replaceFile(pathOf(id), endOf(await readFile(pathOf(id))))
  }

  return {
    append(id, text) {
      const turn = (turns.get(id) ?? Promise.resolve()).then(() => add(id, text))
      const settled = turn.catch(() => {}).then(() => void (turns.get(id) === settled && turns.delete(id)))
      turns.set(id, settled)
      return turn
    },
    read: async (id) => endOf((await readFile(pathOf(id)).catch(ifMissing)) ?? Buffer.alloc(0)).toString(),
  }
}

/** The last whole lines. */
function endOf(bytes: Buffer): Buffer {
  if (bytes.length <= keptBytes) return bytes
  const end = bytes.subarray(-keptBytes)
  return end.subarray(end.indexOf('\n') + 1)
}

/** A machine may say anything; what a terminal obeys gets no further. */
const withoutControls = (text: string): string => text.replaceAll(/[^\P{C}\n\t]|[\p{Zl}\p{Zp}]/gu, '?')
