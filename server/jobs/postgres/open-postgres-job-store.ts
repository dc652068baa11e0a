import { randomUUID } from 'node:crypto'
import { isDeepStrictEqual } from 'node:util'
import type { Logger } from 'pino'
import type { Plan } from '../../../images/plan.ts'
import type { EndedJob } from '../../api/history.ts'
import type { Job } from '../../api/job.ts'
import { HttpProblem } from '../../http/problem.ts'
import type { Change, JobStore } from '../job-store.ts'
import { createAvailableJobs } from './available-jobs.ts'
import { createDatabase } from './database.ts'
import { findSpot } from './job-order.ts'
import { columnsOf, createJobRows, recordOf, selectJobs, type JobRow, type SelectedJob } from './job-rows.ts'
import { migrate } from './migrate.ts'
import { openNotices } from './notices.ts'
import { createProofLocks } from './proof-locks.ts'

export interface PostgresJobStoreOptions {
  /** For example `postgres://ingot:secret@db.example/ingot`. */
  url: string
  log?: Logger
  /** How long a call waits for a server that is away before it throws, in milliseconds. Default 10,000. */
  patienceMs?: number
  /** Connections at most, besides the one that listens. Default 10. */
  connections?: number
}

const notListed = (id: string): HttpProblem => new HttpProblem(404, `no job '${id}' is listed`)

/** A value as it comes back from the database. */
const asKept = <Value>(value: Value): Value => JSON.parse(JSON.stringify(value)) as Value

/**
 * The job list in PostgreSQL, in the schema `ingot` of a database that any number of servers share. A write is one statement that changes nothing unless
 * the job still is as its writer saw it. What a broken connection leaves open, whether a write was done, is looked up before it is done again. Throws
 * `IngotError`: 'store-unreachable', 'config-invalid' when the server refuses us, 'data-invalid' for a schema of a newer Ingot, 'storage-full'.
 */
export async function openPostgresJobStore({ url, log, patienceMs = 10_000, connections = 10 }: PostgresJobStoreOptions): Promise<JobStore> {
  const database = createDatabase({ url, patienceMs, connections, ...(log === undefined ? {} : { log }) })
  try {
    await migrate(database)
  } catch (error) {
    await database.close()
    throw error
  }
  const rows = createJobRows(database)
  const locks = createProofLocks(database)
  const unassigned = createAvailableJobs(database, 'NOT taken AND NOT assigned')
  const assigned = createAvailableJobs(database, 'NOT taken AND assigned')
  const drop = (id: string): void => {
    unassigned.drop(id)
    assigned.drop(id)
  }
  const refresh = (): void => {
    unassigned.refresh()
    assigned.refresh()
  }
  const notices = await openNotices({ database, onForeign: refresh, ...(log === undefined ? {} : { log }) })
  const announceList = (): void => {
    refresh()
    notices.announce()
  }

  const lastEnded = async (id: string): Promise<EndedJob | undefined> => {
    const [row] = await database.query<{ record: EndedJob }>('SELECT record FROM ingot.ended WHERE job = $1 ORDER BY sequence DESC LIMIT 1', [id])
    return row?.record
  }

  /** Whether a write whose answer was lost has been done: what it should have written is there. */
  const isDone = async (id: string, change: Change, row: JobRow | undefined): Promise<boolean> => {
    switch (change.kind) {
      case 'keep':
        return true
      case 'status':
        return isDeepStrictEqual(row?.record.status, asKept(change.status))
      case 'release':
        return row !== undefined && row.record.status === undefined && isDeepStrictEqual(row.record.history, change.history && asKept(change.history))
      case 'end':
        return isDeepStrictEqual(await lastEnded(id), asKept(change.ended))
    }
  }

  const noteChange = (id: string, { kind }: Change): void => {
    if (kind === 'status' || kind === 'end') drop(id)
    if (kind === 'end') notices.announce()
    if (kind === 'release') announceList()
  }

  return {
    list: async () => (await database.query<SelectedJob>(`${selectJobs()} ORDER BY rank, position, id`)).map(recordOf),
    read: async (id) => (await rows.read(id))?.record,
    available: ({ accept, limit }) => unassigned.find(accept, limit),
    assigned: () => assigned.find(() => true, Infinity),
    held: async () => (await database.query<SelectedJob>(`${selectJobs()} WHERE state IN ('claimed', 'running')`)).map(recordOf),
    proving: async () => (await database.query<SelectedJob>(`${selectJobs()} WHERE state = 'proving' ORDER BY rank, position, id`)).map(recordOf),
    holdProof: locks.hold,

    async claim(id, make) {
      for (;;) {
        const row = await rows.read(id)
        if (row === undefined) return undefined
        const { status: held, ...free } = row.record
        const status = make(free)
        // A claim whose answer was lost finds itself.
        if (held !== undefined) return { claimed: held.claimHash === status.claimHash, status: held }
        if ((await rows.claim(id, row.revision, status)) !== 'written') continue
        drop(id)
        return { claimed: true, status }
      }
    },

    async change<Decided extends Change>(id: string, decide: (record: JobRow['record']) => Decided) {
      let unanswered: { record: JobRow['record']; change: Decided } | undefined
      for (;;) {
        const row = await rows.read(id)
        if (unanswered !== undefined && (await isDone(id, unanswered.change, row))) {
          noteChange(id, unanswered.change)
          return unanswered
        }
        if (row === undefined) return undefined
        const { record, revision } = row
        const decided = { record, change: decide(record) }
        const change: Change = decided.change
        const outcome = change.kind === 'keep' ? 'written' : await rows.write(id, revision, change)
        if (outcome === 'written') {
          noteChange(id, change)
          return decided
        }
        if (outcome === 'unknown') unanswered = decided
      }
    },

    async add(job, place) {
      let tried = false
      const added = await database.transaction(async (query) => {
        const isRepeated = tried
        tried = true
        const spot = place === undefined ? undefined : await findSpot(query, job, place)
        const [entry, priority, assignedTo] = columnsOf({ ...job, priority: spot?.priority ?? job.priority })
        const inserted = await query(
          `WITH listed AS (
            INSERT INTO ingot.jobs (id, entry, priority, assigned_to, position)
            VALUES ($1, $2::json, $3, $4, coalesce($5::numeric, nextval('ingot.job_order'))) ON CONFLICT (id) DO NOTHING RETURNING id
          ), cleared AS (DELETE FROM ingot.logs USING listed WHERE job = id)
          SELECT id FROM listed`,
          [job.id, entry, priority, assignedTo, spot?.position ?? null],
        )
        if (inserted.length > 0) return true
        // Listed by this very call, if the answer to its commit was lost.
        const [listed] = await query<{ entry: unknown }>('SELECT entry FROM ingot.jobs WHERE id = $1', [job.id])
        return isRepeated && isDeepStrictEqual(listed?.entry, JSON.parse(entry))
      })
      if (!added) throw new HttpProblem(409, `job '${job.id}' is listed already`)
      announceList()
    },

    async edit(id, change) {
      for (;;) {
        const row = await rows.read(id)
        if (row === undefined) throw notListed(id)
        const job = change(row.record.job)
        if ((await rows.edit(id, row.revision, job)) !== 'written') continue
        announceList()
        return job
      }
    },

    async move(id, place) {
      const moved = await database.transaction(async (query): Promise<Job> => {
        for (;;) {
          const [row] = await query<SelectedJob>(`${selectJobs()} WHERE jobs.id = $1`, [id])
          if (row === undefined) throw notListed(id)
          const { job } = recordOf(row)
          const { priority, position } = await findSpot(query, job, place)
          const written = await query(
            'UPDATE ingot.jobs SET revision = revision + 1, priority = $3, position = $4::numeric WHERE id = $1 AND revision = $2 RETURNING id',
            [id, row.revision, priority, position],
          )
          if (written.length > 0) return { ...job, priority }
        }
      })
      announceList()
      return moved
    },

    ended: lastEnded,
    performed: async () =>
      (await database.query<{ record: EndedJob }>(`SELECT record FROM ingot.ended WHERE outcome = 'performed' ORDER BY sequence`)).map(({ record }) => record),
    isPerformed: async (imageVersion) => (await database.query('SELECT FROM ingot.ended WHERE image_version = $1', [imageVersion])).length > 0,

    async writePlan(id, plan) {
      await database.query('INSERT INTO ingot.plans (job, record) VALUES ($1, $2::json) ON CONFLICT (job) DO UPDATE SET record = excluded.record', [id, JSON.stringify(plan)])
    },
    async plan(id) {
      const [row] = await database.query<{ record: Plan }>('SELECT record FROM ingot.plans WHERE job = $1', [id])
      return row?.record
    },
    async appendLog(id, text) {
      // The name of the chunk lets it be sent again without standing there twice.
      await database.query('INSERT INTO ingot.logs (chunk, job, text) VALUES ($1, $2, $3) ON CONFLICT (chunk) DO NOTHING', [randomUUID(), id, Buffer.from(text)])
    },
    async log(id) {
      const [row] = await database.query<{ text: Buffer | null }>(`SELECT string_agg(text, ''::bytea ORDER BY sequence) AS text FROM ingot.logs WHERE job = $1`, [id])
      return row?.text?.toString()
    },

    problems: () => [],
    follow: (listener) => notices.follow(listener),
    async close() {
      database.stopWaiting()
      await notices.close()
      await locks.close()
      await database.close()
    },
  }
}
