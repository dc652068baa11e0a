import { open, type FileHandle } from 'node:fs/promises'
import type { AuditEntry } from '../api/audit.ts'
import { ifMissing } from '../if-missing.ts'
import { readLines } from '../read-lines.ts'
import { auditPaths } from './audit-log.ts'

export interface AuditQuery {
  /** Entries to find at most. */
  limit: number
  /** The page before, as it called its end. */
  after?: string | undefined
  accept: (entry: AuditEntry) => boolean
}

export interface AuditPage {
  entries: AuditEntry[]
  /** What the next page comes after, when there is more. */
  next?: string
}

/** Reads entries that are kept, oldest first; undefined when what the page is to come after has gone since. A line that a crash has left half is passed over. */
export async function readAudit(dataDirectory: string, { limit, after, accept }: AuditQuery): Promise<AuditPage | undefined> {
  const { current, before } = auditPaths(dataDirectory)
  // In this order: one that is put aside meanwhile is there twice, and not missing.
  const newer = await open(current, 'r').catch(ifMissing)
  const older = await open(before, 'r').catch(ifMissing)
  const handles = [older, newer].filter((each) => each !== undefined)
  try {
    const files = await Promise.all(handles.map(async (file) => ({ file, ...(await file.stat()) })))
    const distinct = files.filter(({ ino }, index) => !files.slice(0, index).some((each) => each.ino === ino))
    const [inode, offset] = after?.split('-').map(Number) ?? []
    const first = inode === undefined ? 0 : distinct.findIndex(({ ino }) => ino === inode)
    if (first === -1 || (offset !== undefined && !(await isLineEnd(distinct[first]!.file, offset)))) return undefined

    const entries: AuditEntry[] = []
    let next: string | undefined
    for (const [index, { file, size, ino }] of distinct.slice(first).entries()) {
      const start = index === 0 ? (offset ?? 0) : 0
      let end = start
      await readLines(file, { start, end: size }, (line, lineEnd) => {
        const entry = entryIn(line)
        if (entry !== undefined && accept(entry)) {
          if (entries.length === limit) {
            next = `${ino}-${end}`
            return false
          }
          entries.push(entry)
        }
        end = lineEnd
      })
      if (next !== undefined) break
    }
    return { entries, ...(next === undefined ? {} : { next }) }
  } finally {
    await Promise.all(handles.map((each) => each.close()))
  }
}

/** Another file may have got the inode of one that has gone. */
async function isLineEnd(file: FileHandle, offset: number): Promise<boolean> {
  if (offset === 0) return true
  const { buffer, bytesRead } = await file.read(Buffer.alloc(1), 0, 1, offset - 1)
  return bytesRead === 1 && buffer[0] === 0x0a
}

function entryIn(line: string): AuditEntry | undefined {
  try {
    return JSON.parse(line) as AuditEntry
  } catch {
    return undefined
  }
}
