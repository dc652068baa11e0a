import type { JobRecord } from '../job-store.ts'
import type { Database } from './database.ts'
import { recordOf, selectJobs, type SelectedJob } from './job-rows.ts'

/** What other servers do to the list is told by notices, and looked for this often in case one is lost. */
const staleAfterMs = 1000
const pageRows = 100
const mostPageRows = 5000

/** The jobs without a status that fit a condition, in order, as far as someone asked for them. */
export interface AvailableJobs {
  find(accept: (record: JobRecord) => boolean, limit: number): Promise<JobRecord[]>
  /** A job is taken, or gone. */
  drop(id: string): void
  /** Something came on the list, or moved. */
  refresh(): void
}

/** The head of the list as it was read at one time, longer as someone asks for more. */
interface View {
  rows: { record: JobRecord; rank: number; position: string }[]
  /** All before this one were dropped. */
  first: number
  /** Nothing comes after them. */
  complete: boolean
  firstPageRows: number
  /** How many of the rows somebody looked at. */
  usedRows: number
  dropped: Set<string>
  begunAtMs: number
  reading?: Promise<void>
}

/**
 * The head of the list, kept in memory: many workers ask for the same jobs at the same time, and each of them skips those that were just offered to the
 * others. The database is asked by an index that holds these jobs only, whatever the length of the list, and for no more than is wanted. `condition` is
 * that of the index.
 */
export function createAvailableJobs(database: Database, condition: string): AvailableJobs {
  let view: View | undefined
  let usedRows = 0

  const begin = (): View => ({
    rows: [],
    first: 0,
    complete: false,
    firstPageRows: Math.min(usedRows + pageRows, mostPageRows),
    usedRows: 0,
    dropped: new Set(),
    begunAtMs: performance.now(),
  })
  const replace = (next: View | undefined): View | undefined => {
    if (view !== undefined) usedRows = view.usedRows
    return (view = next)
  }

  async function readPage(into: View): Promise<void> {
    const last = into.rows.at(-1)
    const limit = Math.min(into.rows.length || into.firstPageRows, mostPageRows)
    const after = last === undefined ? [-(2 ** 31), '0', ''] : [last.rank, last.position, last.record.job.id]
    const head = `SELECT * FROM ingot.jobs WHERE ${condition} AND (rank, position, id) > ($1::integer, $2::numeric, $3::text) ORDER BY rank, position, id LIMIT $4`
    const rows = await database.query<SelectedJob>(`${selectJobs(`(${head}) AS jobs`)} ORDER BY rank, position, id`, [...after, limit])
    for (const row of rows) into.rows.push({ record: recordOf(row), rank: row.rank, position: row.position })
    into.complete = rows.length < limit
  }
  /** All who want more of a view share one reading. */
  const extend = (into: View): Promise<void> => (into.reading ??= readPage(into).finally(() => delete into.reading))

  return {
    async find(accept, limit) {
      const found: JobRecord[] = []
      const fresh = view !== undefined && performance.now() - view.begunAtMs < staleAfterMs
      const seen = (fresh ? view : replace(begin()))!
      const isDropped = (at: number): boolean => seen.rows[at] !== undefined && seen.dropped.has(seen.rows[at].record.job.id)
      while (isDropped(seen.first)) seen.first++
      for (let at = seen.first; found.length < limit; at++) {
        while (at >= seen.rows.length && !seen.complete) await extend(seen)
        const record = seen.rows[at]?.record
        if (record === undefined) break
        seen.usedRows = Math.max(seen.usedRows, at + 1)
        if (!isDropped(at) && accept(record)) found.push(record)
      }
      return found
    },
    drop: (id) => void view?.dropped.add(id),
    refresh: () => void replace(undefined),
  }
}
