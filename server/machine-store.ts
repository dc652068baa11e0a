import { mkdir, readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Inventory } from './api/machine.ts'
import { replaceFile } from './durable-file.ts'

/** What is known of one machine: `machines/<id>.json`, readable and editable by a person. */
export interface MachineRecord {
  inventory?: Inventory
  seenAt?: string
  /** Serial numbers of disks of this machine that may be written though they hold data (F1). */
  scratchSerials: string[]
}

export interface MachineStore {
  list(): Promise<(MachineRecord & { id: string })[]>
  record(inventory: Inventory): Promise<void>
  scratchSerials(id: string): Promise<string[]>
  markScratch(id: string, serial: string): Promise<void>
}

export function openMachineStore(dataDirectory: string): MachineStore {
  const folder = join(dataDirectory, 'machines')
  const pathOf = (id: string) => join(folder, `${id}.json`)
  const read = async (id: string): Promise<MachineRecord> => {
    try {
      return JSON.parse(await readFile(pathOf(id), 'utf8')) as MachineRecord
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return { scratchSerials: [] }
      throw error
    }
  }
  const write = (id: string, record: MachineRecord) => replaceFile(pathOf(id), `${JSON.stringify(record, null, 2)}\n`)

  return {
    async list() {
      await mkdir(folder, { recursive: true })
      const ids = (await readdir(folder)).filter((name) => name.endsWith('.json')).map((name) => name.slice(0, -'.json'.length))
      return Promise.all(ids.toSorted().map(async (id) => ({ id, ...(await read(id)) })))
    },
    async record(inventory) {
      await write(inventory.id, { ...(await read(inventory.id)), inventory, seenAt: new Date().toISOString() })
    },
    scratchSerials: async (id) => (await read(id)).scratchSerials,
    async markScratch(id, serial) {
      const record = await read(id)
      if (record.scratchSerials.includes(serial)) return
      await write(id, { ...record, scratchSerials: [...record.scratchSerials, serial] })
    },
  }
}
