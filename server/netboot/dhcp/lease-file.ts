import { constants, open, readFile, type FileHandle } from 'node:fs/promises'
import { Type, type Static } from 'typebox'
import { Check, Errors } from 'typebox/value'
import { replaceFile, storageRefusal } from '../../durable-file.ts'
import { IngotError } from '../../errors.ts'
import { shareNext } from '../../share-next.ts'
import type { Lease } from './lease-table.ts'

const closed = { additionalProperties: false }
const machine = Type.String({ pattern: '^[0-9a-f]{2}(-[0-9a-f]{2}){5}$' })
const headerSchema = Type.Object({ version: Type.Literal(1) }, closed)
/** A lease, or that a machine has none any more. */
const entrySchema = Type.Union([
  Type.Object({ machine, address: Type.String({ format: 'ipv4' }), expiresAt: Type.Integer({ minimum: 0 }) }, closed),
  Type.Object({ machine }, closed),
])
type Entry = Static<typeof entrySchema>

/** The lease table on disk, `leases.ndjson`: a line for each change, of several of a machine, or of an address, the last one counts. */
export interface LeaseFile {
  load(): Promise<Lease[]>
  /** Resolves when the lease that the machine has now, or that it has none, is on disk; calls that come while the disk flushes share the next flush. */
  save(machine: string, lease: Lease | undefined): Promise<void>
  close(): Promise<void>
}

/** The file is written anew when it has more lines than this and than twice its leases. */
const mostSuperseded = 10_000

/** `load` throws an `IngotError` `config-invalid` for a file that is not a lease table: to go on would give addresses twice. */
export function openLeaseFile(path: string): LeaseFile {
  const kept = new KeptLeases()
  let unwritten: Entry[] = []
  /** Undefined until the file was written whole by us: what was there before may end in the middle of a line. */
  let file: FileHandle | undefined
  let lines = 0

  async function letGo(): Promise<void> {
    const open = file
    file = undefined
    await open?.close()
  }

  async function writeWhole(): Promise<void> {
    await letGo()
    const all = [{ version: 1 }, ...kept.leases()]
    await replaceFile(path, renderLines(all))
    file = await open(path, appendDurably)
    lines = all.length
  }

  const flush = shareNext(async () => {
    const entries = unwritten.splice(0)
    try {
      if (file === undefined || lines + entries.length > Math.max(mostSuperseded, 2 * kept.count)) return await writeWhole()
      await file.appendFile(renderLines(entries))
      lines += entries.length
    } catch (error) {
      await letGo()
      throw storageRefusal(error, path)
    }
  })

  return {
    async load() {
      const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
        if (error.code === 'ENOENT') return undefined
        throw error
      })
      for (const entry of text === undefined ? [] : parseLeaseFile(text, path)) kept.apply(entry)
      return kept.leases()
    },
    save(machine, lease) {
      const entry = lease ?? { machine }
      kept.apply(entry)
      unwritten.push(entry)
      return flush()
    },
    close: letGo,
  }
}

/** What the lines of the file say, one after the other. */
class KeptLeases {
  readonly #byMachine = new Map<string, Lease>()
  readonly #byAddress = new Map<string, string>()

  apply(entry: Entry): void {
    this.#drop(entry.machine)
    if (!('address' in entry)) return
    const holder = this.#byAddress.get(entry.address)
    if (holder !== undefined) this.#drop(holder)
    this.#byMachine.set(entry.machine, entry)
    this.#byAddress.set(entry.address, entry.machine)
  }

  get count(): number {
    return this.#byMachine.size
  }

  leases(): Lease[] {
    return [...this.#byMachine.values()]
  }

  #drop(machine: string): void {
    const lease = this.#byMachine.get(machine)
    if (lease === undefined) return
    this.#byMachine.delete(machine)
    this.#byAddress.delete(lease.address)
  }
}

/** A write is on the disk when it returns (open(2), O_DSYNC): one way through the kernel instead of two for each flush. */
const appendDurably = constants.O_WRONLY | constants.O_APPEND | constants.O_DSYNC

const renderLines = (values: readonly object[]): string => values.map((value) => `${JSON.stringify(value)}\n`).join('')

function parseLeaseFile(text: string, path: string): Entry[] {
  const refuse = (problem: string): never => {
    throw new IngotError(
      'config-invalid',
      `the lease file ${path} is damaged: ${problem}; restore it, or remove it if no machine is running`,
    )
  }
  // What follows the last end of line was being written in a crash, and promised to nobody.
  const [header, ...entries] = text.split('\n').slice(0, -1).map((line, index) => {
    try {
      return JSON.parse(line) as unknown
    } catch (error) {
      return refuse(`line ${index + 1}: ${(error as Error).message}`)
    }
  })
  if (!Check(headerSchema, header)) return refuse('line 1: expected {"version":1}')
  return entries.map((entry, index) => {
    if (Check(entrySchema, entry)) return entry
    const [first] = Errors(entrySchema.anyOf[0], entry)
    return refuse(`line ${index + 2}: ${first === undefined ? 'not a lease' : `${first.instancePath || '/'} ${first.message}`}`)
  })
}
