import { historySchema, type History } from '../../api/history.ts'
import type { Job } from '../../api/job.ts'
import { statusSchema, type Status } from '../../api/status.ts'
import type { JobRecord } from '../job-store.ts'
import { readDataFile } from './data-file.ts'
import type { JobPaths } from './job-paths.ts'

/** Status and history of the jobs: as the files say, and as far as that is known without reading: right for what this server wrote, late for what others did. */
export interface JobRecords {
  known(job: Job): JobRecord
  /** What the files say now. It is kept, unless something else became known while they were read. */
  read(job: Job): Promise<JobRecord>
  readHistory(id: string): Promise<History | undefined>
  /** Every status that is known. */
  statuses(): readonly (readonly [id: string, status: Status])[]
  status(id: string): Status | undefined
  /** Without a status the job is available again, which `onRelease` is told. */
  keepStatus(id: string, status: Status | undefined): void
  keepHistory(id: string, history: History | undefined): void
  /** Nothing is known of that job any more, and nobody is told. */
  forget(id: string): void
}

export const recordOf = (job: Job, status: Status | undefined, history: History | undefined): JobRecord => ({
  job,
  ...(status === undefined ? {} : { status }),
  ...(history === undefined ? {} : { history }),
})

export function createJobRecords(paths: JobPaths, onRelease: (id: string) => void): JobRecords {
  const statuses = new Map<string, Status>()
  const histories = new Map<string, History>()

  const records: JobRecords = {
    known: (job) => recordOf(job, statuses.get(job.id), histories.get(job.id)),
    async read(job) {
      const { id } = job
      const [knownStatus, knownHistory] = [statuses.get(id), histories.get(id)]
      const [status, history] = await Promise.all([readDataFile(statusSchema, paths.of('status', id)), readDataFile(historySchema, paths.of('history', id))])
      if (statuses.get(id) === knownStatus) records.keepStatus(id, status)
      if (histories.get(id) === knownHistory) records.keepHistory(id, history)
      return recordOf(job, status, history)
    },
    async readHistory(id) {
      const history = await readDataFile(historySchema, paths.of('history', id))
      records.keepHistory(id, history)
      return history
    },
    statuses: () => [...statuses],
    status: (id) => statuses.get(id),
    keepStatus(id, status) {
      if (status !== undefined) statuses.set(id, status)
      else if (statuses.delete(id)) onRelease(id)
    },
    keepHistory(id, history) {
      if (history === undefined) histories.delete(id)
      else histories.set(id, history)
    },
    forget(id) {
      statuses.delete(id)
      histories.delete(id)
    },
  }
  return records
}
