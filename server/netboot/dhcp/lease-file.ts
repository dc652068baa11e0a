import { readFile } from 'node:fs/promises'
import { Type } from 'typebox'
import { Check, Errors } from 'typebox/value'
import { replaceFile } from '../../durable-file.ts'
import { IngotError } from '../../errors.ts'
import type { Lease } from './lease-table.ts'

const leaseFileSchema = Type.Object(
  {
    version: Type.Literal(1),
    leases: Type.Array(
      Type.Object(
        {
          machine: Type.String({ pattern: '^[0-9a-f]{2}(-[0-9a-f]{2}){5}$' }),
          address: Type.String({ format: 'ipv4' }),
          expiresAt: Type.Integer({ minimum: 0 }),
        },
        { additionalProperties: false },
      ),
    ),
  },
  { additionalProperties: false },
)

/** The lease table on disk, `leases.json`. */
export interface LeaseFile {
  load(): Promise<Lease[]>
  /** Resolves when leases taken from `current` after this call are on disk; calls that come while a write runs share the next one. */
  save(current: () => readonly Lease[]): Promise<void>
}

/** `load` throws an `IngotError` `config-invalid` for a file that is not a lease table: to go on would give addresses twice. */
export function openLeaseFile(path: string): LeaseFile {
  let running: Promise<void> = Promise.resolve()
  let next: Promise<void> | undefined
  return {
    async load() {
      const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
        if (error.code === 'ENOENT') return undefined
        throw error
      })
      return text === undefined ? [] : parseLeaseFile(text, path)
    },
    save(current) {
      next ??= running
        .catch(() => undefined)
        .then(() => {
          next = undefined
          running = replaceFile(path, `${JSON.stringify({ version: 1, leases: current() }, null, 1)}\n`)
          return running
        })
      return next
    },
  }
}

function parseLeaseFile(text: string, path: string): Lease[] {
  const refuse = (problem: string): never => {
    throw new IngotError(
      'config-invalid',
      `the lease file ${path} is damaged: ${problem}; restore it, or remove it if no machine is running`,
    )
  }
  let content: unknown
  try {
    content = JSON.parse(text)
  } catch (error) {
    return refuse((error as Error).message)
  }
  if (Check(leaseFileSchema, content)) return content.leases
  const [first] = Errors(leaseFileSchema, content)
  return refuse(first === undefined ? 'not a lease table' : `${first.instancePath || '/'} ${first.message}`)
}
