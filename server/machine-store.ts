import { mkdir, readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { Type, type Static } from 'typebox'
import { admissionSchema, inventorySchema, labelsSchema, machineSystemSchema, type Admission, type Inventory, type Labels, type MachineSystem } from './api/machine.ts'
import { replaceFile } from './durable-file.ts'
import { readDataFile, renderDataFile } from './jobs/files/data-file.ts'

/** What is known of one machine: `machines/<id>.json`, readable and editable by a person. */
const machineFileSchema = Type.Object(
  {
    inventory: Type.Optional(inventorySchema),
    seenAt: Type.Optional(Type.String({ format: 'date-time' })),
    /** Whether it may have a credential; see `isAdmitted`. */
    admission: Type.Optional(admissionSchema),
    /** Serial numbers of disks of this machine that may be written though they hold data (F1). */
    scratchSerials: Type.Optional(Type.Array(Type.String())),
    /** What an operator says of the machine, for example `{ "rack": "b2" }`, for jobs that require it. */
    labels: Type.Optional(labelsSchema),
    /** What was deployed to it; it boots its own disk until a job takes that, or an operator releases it (F6). */
    system: Type.Optional(machineSystemSchema),
  },
  { additionalProperties: false },
)
type MachineFile = Static<typeof machineFileSchema>

/** A machine with its id, for example `52-54-00-12-34-56`. */
export type MachineRecord = MachineFile & Required<Pick<MachineFile, 'scratchSerials' | 'labels'>> & { id: string }

/** Reading throws `IngotError` 'data-invalid' when a person's edit is wrong. */
export interface MachineStore {
  list(): Promise<MachineRecord[]>
  /** How many there are. */
  count(): Promise<number>
  /** What is known of a machine; one never heard of has no inventory, marks or labels. */
  read(id: string): Promise<MachineRecord>
  record(inventory: Inventory): Promise<void>
  /** Writes down whether a machine may have a credential. */
  setAdmission(id: string, admission: Admission): Promise<MachineRecord>
  /** Lets jobs overwrite a disk of a machine, also of one that was not seen yet. */
  markScratch(id: string, serial: string): Promise<MachineRecord>
  /** Takes that back; a serial number without a mark is no error. */
  unmarkScratch(id: string, serial: string): Promise<MachineRecord>
  /** Replaces the labels of a machine, also of one that was not seen yet. */
  label(id: string, labels: Labels): Promise<MachineRecord>
  /** The machine has a system of its own from now on. */
  settle(id: string, system: MachineSystem): Promise<void>
  /** It has none any more. */
  release(id: string): Promise<void>
}

/** Whether a machine may have a credential. One that this server knew before it asked about admission stays admitted. */
export const isAdmitted = ({ admission, inventory }: Pick<MachineRecord, 'admission' | 'inventory'>): boolean =>
  admission === undefined ? inventory !== undefined : admission.state === 'admitted'

export function openMachineStore(dataDirectory: string): MachineStore {
  const folder = join(dataDirectory, 'machines')
  const pathOf = (id: string) => join(folder, `${id}.json`)

  // Asked at every look of a waiting worker for jobs that require something: what was read counts until the file is another.
  const cache = new Map<string, { file: string; record: MachineRecord }>()
  const read = async (id: string): Promise<MachineRecord> => {
    const stats = await stat(pathOf(id), { bigint: true }).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return undefined
      throw error
    })
    const file = stats === undefined ? 'none' : `${stats.ino} ${stats.mtimeNs} ${stats.size}`
    const cached = cache.get(id)
    if (cached?.file === file) return cached.record
    const record = { id, scratchSerials: [], labels: {}, ...(await readDataFile(machineFileSchema, pathOf(id))) }
    if (stats !== undefined) cache.set(id, { file, record })
    return record
  }

  // Writers in this process take turns, so that an inventory that comes in does not undo a label.
  let lastChange: Promise<unknown> = Promise.resolve()
  const change = (id: string, edit: (record: MachineRecord) => MachineRecord): Promise<MachineRecord> => {
    const next = lastChange.then(async () => {
      const before = await read(id)
      const after = edit(before)
      const { id: _, ...file } = after
      if (after !== before) await replaceFile(pathOf(id), renderDataFile(file))
      return after
    })
    lastChange = next.catch(() => {})
    return next
  }

  const ids = async (): Promise<string[]> => {
    await mkdir(folder, { recursive: true })
    return (await readdir(folder)).filter((name) => name.endsWith('.json')).map((name) => name.slice(0, -'.json'.length))
  }

  return {
    list: async () => Promise.all((await ids()).toSorted().map(read)),
    count: async () => (await ids()).length,
    read,
    async record(inventory) {
      const seenAt = new Date().toISOString()
      await change(inventory.id, (record) => {
        const isNew = record.inventory === undefined && record.admission === undefined
        return { ...record, inventory, seenAt, ...(isNew ? { admission: { state: 'elsewhere', at: seenAt } } : {}) }
      })
    },
    setAdmission: (id, admission) => change(id, (record) => ({ ...record, admission })),
    markScratch: (id, serial) => change(id, (record) => (record.scratchSerials.includes(serial) ? record : { ...record, scratchSerials: [...record.scratchSerials, serial] })),
    unmarkScratch: (id, serial) =>
      change(id, (record) => (record.scratchSerials.includes(serial) ? { ...record, scratchSerials: record.scratchSerials.filter((each) => each !== serial) } : record)),
    label: (id, labels) => change(id, (record) => ({ ...record, labels })),
    async settle(id, system) {
      await change(id, (record) => ({ ...record, system }))
    },
    async release(id) {
      if ((await read(id)).system === undefined) return
      await change(id, ({ system: _, ...record }) => record)
    },
  }
}
