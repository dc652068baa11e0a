import { mkdir, readFile, rename, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { Logger } from 'pino'
import type { Role } from '../api/role.ts'
import { appendToFile } from '../durable-file.ts'

/** One thing that somebody did, or was refused, for example `{ time, name: 'ada', role: 'operator', method: 'DELETE', object: '/jobs/web-1', status: 204, address: '192.0.2.7' }`. */
export interface AuditEntry {
  time: string
  /** Of the token, or of the machine that a credential was given to; absent when nobody known asked. */
  name?: string
  role?: Role
  /** By a browser's session. */
  session?: true
  /** Of HTTP; or the command, for example `token create`, when it was done on the data directory itself. */
  method: string
  /** The path that was asked, without its query; or what the command was about. */
  object: string
  status?: number
  address?: string
}
export type NewAuditEntry = Omit<AuditEntry, 'time'>

/** Who did what when, in `audit.ndjson`. */
export interface AuditLog {
  /** Never throws: what cannot be written is told in the log. */
  write(entry: NewAuditEntry): void
  /** Settles when all is written. */
  close(): Promise<void>
}

/** A file that has grown so large is put aside as `audit.1.ndjson`, in place of the one before it: no flood of refusals fills the disk. */
const largestBytes = 64 * 1024 * 1024
const mostObjectCharacters = 300

const pathsIn = (dataDirectory: string) => ({ current: join(dataDirectory, 'audit.ndjson'), before: join(dataDirectory, 'audit.1.ndjson') })

const missing = (error: NodeJS.ErrnoException): undefined => {
  if (error.code === 'ENOENT') return undefined
  throw error
}

export function openAuditLog(dataDirectory: string, { log }: { log?: Pick<Logger, 'error'> } = {}): AuditLog {
  const { current, before } = pathsIn(dataDirectory)
  let unwritten: string[] = []
  let writing: Promise<void> | undefined

  const write = async (): Promise<void> => {
    while (unwritten.length > 0) {
      const lines = unwritten
      unwritten = []
      try {
        await mkdir(dataDirectory, { recursive: true })
        const written = await stat(current).catch(missing)
        if (written !== undefined && written.size > largestBytes) await rename(current, before)
        await appendToFile(current, lines.join(''))
      } catch (error) {
        log?.error({ err: error, lost: lines }, 'the audit trail cannot be written')
      }
    }
  }
  return {
    write(entry) {
      const whole: AuditEntry = { time: new Date().toISOString(), ...entry, object: entry.object.slice(0, mostObjectCharacters) }
      unwritten.push(`${JSON.stringify(whole)}\n`)
      writing ??= write().finally(() => (writing = undefined))
    },
    async close() {
      await writing
    },
  }
}

/** All entries that are kept, oldest first. */
export async function readAuditLog(dataDirectory: string): Promise<AuditEntry[]> {
  const { current, before } = pathsIn(dataDirectory)
  const texts = await Promise.all([before, current].map((path) => readFile(path, 'utf8').catch(missing)))
  return texts.flatMap((text) => (text ?? '').split('\n').filter((line) => line !== '')).map((line) => JSON.parse(line) as AuditEntry)
}
