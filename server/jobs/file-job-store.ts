import { mkdir, rename, stat } from 'node:fs/promises'
import { watch } from 'node:fs'
import { join } from 'node:path'
import pMap from 'p-map'
import type { Logger } from 'pino'
import { planSchema } from '../../images/plan.ts'
import type { EndedJob } from '../api/history.ts'
import type { Job } from '../api/job.ts'
import type { Status } from '../api/status.ts'
import { createDirectoryLock } from '../directory-lock.ts'
import { appendToFile, createFile, dropAbandoned, removeFile, replaceFile } from '../durable-file.ts'
import { HttpProblem } from '../http/problem.ts'
import { ifThere, readDataFile, readIfThere, renderDataFile } from './files/data-file.ts'
import { createEndedJobs } from './files/ended-jobs.ts'
import { holdProof } from './files/hold-proof.ts'
import { createJobIndex } from './files/job-index.ts'
import { createJobPaths } from './files/job-paths.ts'
import { createJobRecords, recordOf } from './files/job-records.ts'
import { createListFile, type EditList } from './files/list-file.ts'
import { repeat } from './files/repeat.ts'
import { createTurns } from './files/turns.ts'
import type { Change, JobRecord, JobStore } from './job-store.ts'
import { findJob, placeJob } from './place-job.ts'
import { cancelledStatus, isHeld, isOfLostAttempt } from './rules.ts'

/**
 * The job list as files that a person can read (B2, B11). Several servers may share the directory, also over a network file system:
 *
 *     jobs.json                 the list, in the user's order
 *     plans/<job>.json          the script of each job
 *     status/<job>.json         who performs it and how far; absent = available
 *     history/<job>.json        the attempts that were lost
 *     performed/<version>.json  the job and its last status, once its image was received
 *     removed/<job>.json        the same of a job that was taken off the list, until a later one of its id was performed
 *     logs/<job>.log            what its workers said
 *     jobs.lock                 held while one of the servers changes the above
 *
 * A claim makes `status/<job>.json` with link(2) and needs no lock. All other changes are made under the lock, in an order in which a crash leaves what
 * the next look at the job finishes. A file that is opened must be as its last writer closed it, as NFS has it ("close-to-open", nfs(5)). Throws
 * `IngotError` 'data-invalid' when `jobs.json` is broken from the start.
 */
export async function openFileJobStore(dataDirectory: string, { log }: { log?: Logger } = {}): Promise<JobStore> {
  const paths = createJobPaths(dataDirectory)
  const listeners = new Set<() => void>()
  const announce = () => {
    for (const listener of listeners) listener()
  }

  const listFile = createListFile(join(dataDirectory, 'jobs.json'), (problems) => {
    if (problems.length > 0) log?.error({ problems }, 'jobs.json is broken; the last good list stays in force')
    else log?.info('jobs.json is good again')
  })
  const index = createJobIndex()
  let indexed: readonly Job[] = []
  const reindex = (): void => {
    if (indexed === listFile.jobs()) return
    index.fill((indexed = listFile.jobs()))
    announce()
  }
  const refreshList = async (): Promise<void> => {
    await listFile.refresh()
    reindex()
  }
  /** The list as it stands now. */
  const listed = async (id: string): Promise<Job | undefined> => {
    await refreshList()
    return index.job(id)
  }
  const records = createJobRecords(paths, (id) => {
    index.reopen(id)
    announce()
  })
  const endedJobs = createEndedJobs(paths)
  const lock = createDirectoryLock(join(dataDirectory, 'jobs.lock'), refreshList)
  const turns = createTurns(lock)

  const takeOff = async (id: string): Promise<void> => {
    const { met, made } = await listFile.change((jobs) => jobs.filter((each) => each.id !== id))
    if (indexed !== met) return reindex()
    index.take(id)
    indexed = made
  }

  const clear = async (id: string): Promise<void> => {
    await Promise.all([removeFile(paths.of('history', id)), removeFile(paths.of('plans', id))])
    await removeFile(paths.of('status', id))
    records.forget(id)
  }

  /** Each step leaves a state from which the next look at the job goes on: with a status `performed`, or with a status and no place on the list. */
  const end = async (ended: EndedJob): Promise<void> => {
    const { id } = ended.job
    const { status } = ended
    if (ended.end === 'performed' && status !== undefined) {
      await replaceFile(paths.of('status', id), renderDataFile(status))
      records.keepStatus(id, status)
    }
    await endedJobs.write(ended)
    await takeOff(id)
    await clear(id)
    announce()
  }

  /** Finishes what a crash left half done; call it under the lock. Returns the record, or nothing when the job has left the list by it. */
  const recover = async (record: JobRecord): Promise<JobRecord | undefined> => {
    const { job, status, history } = record
    if (status === undefined) return record
    if (status.state === 'performed') {
      await end({ version: 1, job, end: 'performed', endedAt: status.heartbeatAt, status, ...(history === undefined ? {} : { history }) })
      return undefined
    }
    // The attempt went into the history, and its status was to go next.
    if (!isOfLostAttempt(record)) return record
    await removeFile(paths.of('status', job.id))
    records.keepStatus(job.id, undefined)
    return recordOf(job, undefined, history)
  }

  /** Tells whether it was done: a job without a status may be claimed before it gets another one. */
  const write = async (record: JobRecord, change: Change): Promise<boolean> => {
    const { status } = record
    const { id } = record.job
    switch (change.kind) {
      case 'keep':
        return true
      case 'status':
        if (status !== undefined) await replaceFile(paths.of('status', id), renderDataFile(change.status), { durable: change.durable ?? true })
        else if (!(await createFile(paths.of('status', id), renderDataFile(change.status)))) return false
        records.keepStatus(id, change.status)
        return true
      case 'release':
        if (change.history !== undefined) await replaceFile(paths.of('history', id), renderDataFile(change.history))
        if (status !== undefined) await removeFile(paths.of('status', id))
        if (change.history === undefined) await removeFile(paths.of('history', id))
        records.keepHistory(id, change.history)
        if (status !== undefined) records.keepStatus(id, undefined)
        announce()
        return true
      case 'end':
        // What nobody holds could be taken while it goes; should we not get further, it is a cancelled job.
        if (status === undefined && !(await createFile(paths.of('status', id), renderDataFile(cancelledStatus(record, Date.now()))))) return false
        await end(change.ended)
        return true
    }
  }

  const withStatus = (fits: (status: Status) => boolean): JobRecord[] =>
    records.statuses().flatMap(([id, status]) => {
      const job = index.job(id)
      return job === undefined || !fits(status) ? [] : [records.known(job)]
    })

  /** Returns the job as the list has it then. */
  const edit = async (id: string, change: EditList): Promise<Job> => {
    await listFile.change(change)
    reindex()
    return findJob(listFile.jobs(), id)
  }

  /** Looks for what other servers and crashes left in `status` and `history`. */
  const seenAt = new Map<string, number>()
  const lookAround = async (): Promise<void> => {
    await refreshList()
    // What becomes known while the folder is read may not be among what is found there.
    const before = records.statuses()
    const ids = await paths.namesIn('status')
    const there = new Set(ids)
    for (const [id, status] of before) if (!there.has(id) && records.status(id) === status && !turns.has(id)) records.keepStatus(id, undefined)
    for (const id of seenAt.keys()) if (!there.has(id)) seenAt.delete(id)
    const unfinished: string[] = []
    await pMap(
      ids,
      async (id) => {
        const mtimeMs = (await stat(paths.of('status', id), ifThere))?.mtimeMs
        if (mtimeMs === undefined || (seenAt.get(id) === mtimeMs && records.status(id) !== undefined)) return
        seenAt.set(id, mtimeMs)
        const job = index.job(id)
        if (job === undefined) return void unfinished.push(id)
        const record = await records.read(job)
        if (record.status?.state === 'performed' || isOfLostAttempt(record)) unfinished.push(id)
      },
      { concurrency: 16 },
    )
    // A list that a person is just editing does not tell which jobs are on it.
    if (listFile.problems().length > 0) return
    for (const id of unfinished) {
      await turns.take(id, async () => {
        const job = await listed(id)
        if (job === undefined) await clear(id)
        else await recover(await records.read(job))
      })
    }
  }

  for (const folder of ['status', 'history', 'plans', 'logs', 'performed', 'removed']) {
    await mkdir(join(dataDirectory, folder), { recursive: true })
    await dropAbandoned(join(dataDirectory, folder))
  }
  await dropAbandoned(dataDirectory)
  await refreshList()
  await pMap(await paths.namesIn('history'), records.readHistory, { concurrency: 16 })
  await lookAround()

  const looks = repeat(lookAround, (error) => log?.error({ err: error }, 'the job directory cannot be read'))
  // A person's edit is seen at once where the file system tells of it.
  const watcher = watch(dataDirectory, { persistent: false }, (_event, name) => {
    if (name === 'jobs.json') void refreshList().catch((error: unknown) => log?.error({ err: error }, 'jobs.json cannot be read'))
  })
  watcher.on('error', (error) => log?.warn({ reason: error.message }, 'the job directory is not watched; it is looked at twice a second'))

  return {
    async list() {
      await refreshList()
      return [...index.inOrder()].map(records.known)
    },
    async read(id) {
      const job = await listed(id)
      return job === undefined ? undefined : records.read(job)
    },
    async available({ accept, limit }) {
      const found: JobRecord[] = []
      for (const job of index.from((id) => records.status(id) !== undefined)) {
        if (job.assignedTo !== undefined) continue
        const record = records.known(job)
        if (accept(record)) found.push(record)
        if (found.length >= limit) break
      }
      return found
    },
    assigned: async () => [...index.assigned()].filter(({ id }) => records.status(id) === undefined).map(records.known),
    held: async () => withStatus(isHeld),
    proving: async () => withStatus(({ state }) => state === 'proving'),
    holdProof: (id) => holdProof(join(dataDirectory, 'proofs', 'locks', id)),
    async claim(id, make) {
      const job = await listed(id)
      if (job === undefined) return undefined
      const status = make(recordOf(job, undefined, await records.readHistory(id)))
      // Nothing has to be written to see that a job is taken which was taken a moment ago.
      const taken = records.status(id) === undefined ? undefined : (await records.read(job)).status
      if (taken !== undefined) return { claimed: taken.claimHash === status.claimHash, status: taken }
      if (await createFile(paths.of('status', id), renderDataFile(status))) {
        records.keepStatus(id, status)
        if ((await listed(id)) !== undefined) return { claimed: true, status }
        // Taken off since we looked.
        await turns.take(id, async () => ((await listed(id)) === undefined ? clear(id) : undefined))
        return undefined
      }
      const { status: held } = await records.read(job)
      // Released in this very moment: the next who asks may have it.
      return { claimed: held?.claimHash === status.claimHash, status: held ?? status }
    },
    change: (id, decide) =>
      turns.take(id, async () => {
        for (;;) {
          const job = index.job(id)
          const record = job === undefined ? undefined : await recover(await records.read(job))
          if (record === undefined) return undefined
          const change = decide(record)
          if (await write(record, change)) return { record, change }
        }
      }),
    add: (job, place) =>
      turns.take(job.id, async () => {
        const { id } = job
        if (index.job(id) !== undefined) throw new HttpProblem(409, `job '${id}' is listed already`)
        // What an earlier job of that id left behind is not this one's.
        await Promise.all([removeFile(paths.of('history', id)), removeFile(paths.of('status', id))])
        records.forget(id)
        await rename(paths.log(id), paths.log(`${id}~${Date.now()}`)).catch((error: NodeJS.ErrnoException) => (error.code === 'ENOENT' ? undefined : Promise.reject(error)))
        await edit(id, (jobs) => placeJob(jobs, job, place ?? { at: 'last' }))
      }),
    edit: (id, change) =>
      turns.take(id, () =>
        edit(id, (jobs) => {
          const job = findJob(jobs, id)
          return jobs.with(jobs.indexOf(job), change(job))
        }),
      ),
    move: (id, place) => turns.take(id, () => edit(id, (jobs) => placeJob(jobs.filter((each) => each.id !== id), findJob(jobs, id), place))),
    ended: endedJobs.last,
    performed: endedJobs.performed,
    isPerformed: endedJobs.isPerformed,
    writePlan: (id, plan) => replaceFile(paths.of('plans', id), renderDataFile(plan)),
    plan: (id) => readDataFile(planSchema, paths.of('plans', id)),
    appendLog: async (id, text) => void (await appendToFile(paths.log(id), text)),
    log: (id) => readIfThere(paths.log(id)),
    problems: () => listFile.problems(),
    follow(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    async close() {
      watcher.close()
      await looks.stop()
      await turns.settled()
      lock.close()
    },
  }
}
