import { createHash } from 'node:crypto'
import { mkdir, readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Type, type Static } from 'typebox'
import { Value } from 'typebox/value'
import { createFile, removeFile } from '../durable-file.ts'

const deliverySchema = Type.Object({ id: Type.String({ minLength: 1 }), createdAt: Type.String({ format: 'date-time' }), body: Type.String() }, { additionalProperties: false })

/** An event on its way to one webhook. */
export interface Delivery extends Static<typeof deliverySchema> {
  /** Stays the same however often it is tried, so that the receiver can tell a repetition: `evt_` and a UUID. */
  id: string
  createdAt: string
  /** As it is signed and sent. */
  body: string
}

/** What is on its way to one webhook, a file each: it survives the server (F4). */
export interface DeliveryFiles {
  add(delivery: Delivery): Promise<void>
  remove(id: string): Promise<void>
  /** What an earlier run left, oldest first; what cannot be read is left out. */
  list(): Promise<Delivery[]>
}

/** The deliveries to an address, in `webhooks/<digest of the address>` of the data directory. */
export function openDeliveryFiles(dataDirectory: string, url: string): DeliveryFiles {
  const folder = join(dataDirectory, 'webhooks', createHash('sha256').update(url).digest('hex').slice(0, 16))
  const pathOf = (id: string) => join(folder, `${id}.json`)
  return {
    async add(delivery) {
      await createFile(pathOf(delivery.id), `${JSON.stringify(delivery)}\n`, { mode: 0o600 })
    },
    remove: (id) => removeFile(pathOf(id)),
    async list() {
      await mkdir(folder, { recursive: true, mode: 0o700 })
      const names = (await readdir(folder)).filter((name) => name.endsWith('.json'))
      const read = await Promise.all(names.map(async (name) => parse(await readFile(join(folder, name), 'utf8'))))
      return read.filter((each) => each !== undefined).toSorted((one, other) => one.createdAt.localeCompare(other.createdAt))
    },
  }
}

function parse(text: string): Delivery | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return Value.Check(deliverySchema, value) ? value : undefined
  } catch {
    // Half a file that a crash left.
    return undefined
  }
}
