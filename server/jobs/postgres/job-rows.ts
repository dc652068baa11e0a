import type { EndedJob, History } from '../../api/history.ts'
import type { Job } from '../../api/job.ts'
import type { Status } from '../../api/status.ts'
import type { Change, JobRecord } from '../job-store.ts'
import type { Database } from './database.ts'

/** A record with the number of its last write. */
export interface JobRow {
  record: JobRecord
  revision: string
}

/** What `selectJobs` returns, with the job's place in the order. */
export interface SelectedJob {
  entry: Omit<Job, 'priority'>
  priority: number
  revision: string
  rank: number
  position: string
  status: Status | null
  history: History | null
}

/** `source` stands in for the table where only some of it is wanted. */
export const selectJobs = (source = 'ingot.jobs'): string => `
  SELECT entry, priority, revision, rank, position, status.record AS status, history.record AS history
  FROM ${source} LEFT JOIN ingot.status ON status.job = jobs.id LEFT JOIN ingot.history ON history.job = jobs.id`

export const recordOf = ({ entry, priority, status, history }: SelectedJob): JobRecord => ({
  job: { ...entry, priority },
  ...(status === null ? {} : { status }),
  ...(history === null ? {} : { history }),
})

/** The columns of a job: entry, priority and the machine it is assigned to. */
export function columnsOf({ priority, ...entry }: Job): [string, number, string | null] {
  return [JSON.stringify(entry), priority, entry.assignedTo ?? null]
}

/**
 * `written`; `stale`: nothing was changed, for someone else changed the job since it was read; `unknown`: the connection broke before the answer.
 */
export type Outcome = 'written' | 'stale' | 'unknown'

/** Single jobs, each written in one statement and only over the revision that was read: nobody gets in between and nobody holds a lock meanwhile. */
export interface JobRows {
  read(id: string): Promise<JobRow | undefined>
  claim(id: string, revision: string, status: Status): Promise<Outcome>
  write(id: string, revision: string, change: Exclude<Change, { kind: 'keep' }>): Promise<Outcome>
  /** Replaces what the list says of a job. */
  edit(id: string, revision: string, job: Job): Promise<Outcome>
}

/** The first part of every write: from `listed` the rest takes whether there is something to do. */
const listedAs = (taken: string): string => `
  listed AS (UPDATE ingot.jobs SET revision = revision + 1, taken = ${taken} WHERE id = $1 AND revision = $2 RETURNING id)`

export function createJobRows(database: Database): JobRows {
  const send = async (text: string, values: readonly unknown[]): Promise<Outcome> => {
    const rows = await database.queryOnce(text, values)
    return rows === undefined ? 'unknown' : rows.length > 0 ? 'written' : 'stale'
  }

  return {
    async read(id) {
      const [row] = await database.query<SelectedJob>(`${selectJobs()} WHERE jobs.id = $1`, [id])
      return row && { record: recordOf(row), revision: row.revision }
    },
    // Made only where there is none, and only of a job that is listed as its claimer saw it: one that was taken off cannot be claimed any more.
    claim: (id, revision, status) =>
      send(
        `WITH ${listedAs('true')}
        INSERT INTO ingot.status (job, state, record) SELECT id, $3, $4::json FROM listed
        ON CONFLICT (job) DO NOTHING RETURNING job`,
        [id, revision, status.state, JSON.stringify(status)],
      ),
    write(id, revision, change) {
      switch (change.kind) {
        case 'status':
          // The setting is for this statement's own commit alone.
          return send(
            `WITH ${listedAs('true')}
            INSERT INTO ingot.status (job, state, record) SELECT id, $3, $4::json FROM listed
            ON CONFLICT (job) DO UPDATE SET state = excluded.state, record = excluded.record
            RETURNING CASE WHEN NOT $5::boolean THEN set_config('synchronous_commit', 'off', true) END`,
            [id, revision, change.status.state, JSON.stringify(change.status), change.durable ?? true],
          )
        case 'release':
          return send(
            `WITH ${listedAs('false')},
            freed AS (DELETE FROM ingot.status USING listed WHERE job = id),
            forgotten AS (DELETE FROM ingot.history USING listed WHERE job = id AND $3::json IS NULL),
            kept AS (
              INSERT INTO ingot.history (job, record) SELECT id, $3::json FROM listed WHERE $3::json IS NOT NULL
              ON CONFLICT (job) DO UPDATE SET record = excluded.record
            )
            SELECT id FROM listed`,
            [id, revision, change.history === undefined ? null : JSON.stringify(change.history)],
          )
        case 'end':
          // Status and history go with the job.
          return send(
            `WITH listed AS (DELETE FROM ingot.jobs WHERE id = $1 AND revision = $2 RETURNING id),
            unplanned AS (DELETE FROM ingot.plans USING listed WHERE job = id)
            INSERT INTO ingot.ended (job, outcome, image_version, record) SELECT id, $3, $4, $5::json FROM listed
            ON CONFLICT (image_version) DO UPDATE SET sequence = DEFAULT, job = excluded.job, record = excluded.record
            RETURNING job`,
            [id, revision, change.ended.end, versionOf(change.ended), JSON.stringify(change.ended)],
          )
      }
    },
    edit: (id, revision, job) =>
      send(
        `UPDATE ingot.jobs SET revision = revision + 1, entry = $3::json, priority = $4, assigned_to = $5 WHERE id = $1 AND revision = $2 RETURNING id`,
        [id, revision, ...columnsOf(job)],
      ),
  }
}

const versionOf = ({ end, job, status }: EndedJob): string | null => (end === 'performed' ? (status?.imageVersion ?? job.id) : null)
