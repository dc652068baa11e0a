import { mkdir, rename, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { Logger } from 'pino'
import type { AuditEntry } from '../api/audit.ts'
import { appendToFile } from '../durable-file.ts'
import { ifMissing } from '../if-missing.ts'

export type NewAuditEntry = Omit<AuditEntry, 'time'>

/** Whether it is about what was refused for want of a right. */
export const wasRefused = ({ status }: Pick<AuditEntry, 'status'>): boolean => status === 401 || status === 403

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

/** The trail, and what of it was put aside. */
export const auditPaths = (dataDirectory: string) => ({ current: join(dataDirectory, 'audit.ndjson'), before: join(dataDirectory, 'audit.1.ndjson') })

export function openAuditLog(dataDirectory: string, { log }: { log?: Pick<Logger, 'error'> } = {}): AuditLog {
  const { current, before } = auditPaths(dataDirectory)
  let unwritten: string[] = []
  let writing: Promise<void> | undefined

  const write = async (): Promise<void> => {
    while (unwritten.length > 0) {
      const lines = unwritten
      unwritten = []
      try {
        await mkdir(dataDirectory, { recursive: true })
        const written = await stat(current).catch(ifMissing)
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
