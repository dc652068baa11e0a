import { mkdir, readdir, rename, stat } from 'node:fs/promises'
import { watch } from 'node:fs'
import { join } from 'node:path'
import pMap from 'p-map'
import type { Logger } from 'pino'
import { planSchema } from '../../images/plan.ts'
import { endedJobSchema, historySchema, type EndedJob, type History } from '../api/history.ts'
import type { Job } from '../api/job.ts'
import { statusSchema, type Status } from '../api/status.ts'
import { appendToFile, createFile, removeFile, replaceFile } from '../durable-file.ts'
import { HttpProblem } from '../http/problem.ts'
import { ifThere, readDataFile, readIfThere, renderDataFile } from './files/data-file.ts'
import { createDirectoryLock } from '../directory-lock.ts'
import { createJobIndex } from './files/job-index.ts'
import { createListFile, type EditList } from './files/list-file.ts'
import type { Change, JobRecord, JobStore } from './job-store.ts'
import { placeJob } from './place-job.ts'
import { cancelledStatus, isHeld } from './rules.ts'

/** How often a folder is read for what other servers wrote there; a folder that takes long to read is read more seldom. */
const lookEveryMs = 500
const lookShare = 0.05

const isMissing = (error: unknown): boolean => (error as NodeJS.ErrnoException).code === 'ENOENT'

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
 * the next look at the job finishes. Throws `IngotError` 'data-invalid' when `jobs.json` is broken from the start.
 */
export async function openFileJobStore(dataDirectory: string, { log }: { log?: Logger } = {}): Promise<JobStore> {
  const pathOf = (folder: string, id: string, extension = 'json') => join(dataDirectory, folder, `${id}.${extension}`)
  const statusPath = (id: string) => pathOf('status', id)
  const historyPath = (id: string) => pathOf('history', id)
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
  const lock = createDirectoryLock(join(dataDirectory, 'jobs.lock'), refreshList)

  // What is known of status and history without reading: right for what this server wrote, late for what others did.
  const statuses = new Map<string, Status>()
  const histories = new Map<string, History>()
  const keep = <Value>(map: Map<string, Value>, id: string, value: Value | undefined): void => {
    if (value === undefined) map.delete(id)
    else map.set(id, value)
  }
  const release = (id: string): void => {
    if (!statuses.delete(id)) return
    index.reopen(id)
    announce()
  }
  const recordOf = (job: Job, status: Status | undefined, history: History | undefined): JobRecord =>
    status === undefined && history === undefined ? { job } : { job, ...(status === undefined ? {} : { status }), ...(history === undefined ? {} : { history }) }
  const known = (job: Job): JobRecord => recordOf(job, statuses.get(job.id), histories.get(job.id))

  /** What the files say now. It is kept, unless something else became known while they were read. */
  const readRecord = async (job: Job): Promise<JobRecord> => {
    const { id } = job
    const [knownStatus, knownHistory] = [statuses.get(id), histories.get(id)]
    const [status, history] = await Promise.all([readDataFile(statusSchema, statusPath(id)), readDataFile(historySchema, historyPath(id))])
    if (statuses.get(id) === knownStatus) {
      if (status === undefined) release(id)
      else statuses.set(id, status)
    }
    if (histories.get(id) === knownHistory) keep(histories, id, history)
    return recordOf(job, status, history)
  }

  const clear = async (id: string): Promise<void> => {
    await Promise.all([removeFile(historyPath(id)), removeFile(pathOf('plans', id))])
    histories.delete(id)
    await removeFile(statusPath(id))
    statuses.delete(id)
  }

  const takeOff = async (id: string): Promise<void> => {
    const { met, made } = await listFile.change((jobs) => jobs.filter((each) => each.id !== id))
    if (indexed !== met) return reindex()
    index.take(id)
    indexed = made
  }

  /** Each step leaves a state from which the next look at the job goes on: with a status `performed`, or with a status and no place on the list. */
  const end = async (ended: EndedJob): Promise<void> => {
    const { id } = ended.job
    const { status } = ended
    if (ended.end === 'performed' && status !== undefined) {
      await replaceFile(statusPath(id), renderDataFile(status))
      statuses.set(id, status)
      await replaceFile(pathOf('performed', status.imageVersion), renderDataFile(ended))
      // What is there of a removed job is there because it was the last of its id.
      await removeFile(pathOf('removed', id))
    } else await replaceFile(pathOf('removed', id), renderDataFile(ended))
    await takeOff(id)
    await clear(id)
    announce()
  }

  /** Finishes what a crash left half done; call it under the lock. Returns the record, or nothing when the job has left the list by it. */
  const recover = async (record: JobRecord): Promise<JobRecord | undefined> => {
    const { job, status, history } = record
    if (status?.state === 'performed') {
      await end({ version: 1, job, end: 'performed', endedAt: status.heartbeatAt, status, ...(history === undefined ? {} : { history }) })
      return undefined
    }
    // The attempt went into the history, and its status was to go next.
    if (status !== undefined && history?.attempts.some((each) => each.claimHash === status.claimHash) && isHeld(status)) {
      await removeFile(statusPath(job.id))
      release(job.id)
      return recordOf(job, undefined, history)
    }
    return record
  }

  // Changes of one job in this process take turns; those of several jobs go on beside each other.
  const turns = new Map<string, Promise<unknown>>()
  const inTurn = <Result>(id: string, act: () => Promise<Result>): Promise<Result> => {
    const next = (turns.get(id) ?? Promise.resolve()).then(() => lock.hold(act))
    const settled = next
      .catch(() => {})
      .finally(() => {
        if (turns.get(id) === settled) turns.delete(id)
      })
    turns.set(id, settled)
    return next
  }

  /** Tells whether it was done: a job without a status may be claimed before it gets another one. */
  const write = async (record: JobRecord, change: Change): Promise<boolean> => {
    const { status } = record
    const { id } = record.job
    switch (change.kind) {
      case 'keep':
        return true
      case 'status':
        if (status !== undefined) await replaceFile(statusPath(id), renderDataFile(change.status), { durable: change.durable ?? true })
        else if (!(await createFile(statusPath(id), renderDataFile(change.status)))) return false
        statuses.set(id, change.status)
        return true
      case 'release':
        if (change.history !== undefined) await replaceFile(historyPath(id), renderDataFile(change.history))
        if (status !== undefined) await removeFile(statusPath(id))
        if (change.history === undefined) await removeFile(historyPath(id))
        keep(histories, id, change.history)
        if (status !== undefined) release(id)
        announce()
        return true
      case 'end':
        // What nobody holds could be taken while it goes; should we not get further, it is a cancelled job.
        if (status === undefined && !(await createFile(statusPath(id), renderDataFile(cancelledStatus(record, Date.now()))))) return false
        await end(change.ended)
        return true
    }
  }

  const edit = async (change: EditList): Promise<void> => {
    await listFile.change(change)
    reindex()
  }
  const find = (jobs: readonly Job[], id: string): Job => {
    const job = jobs.find((each) => each.id === id)
    if (job === undefined) throw new HttpProblem(404, `no job '${id}' is listed`)
    return job
  }

  /** The list as it stands now, by a look at the file's date. */
  const listed = async (id: string): Promise<Job | undefined> => {
    await refreshList()
    return index.job(id)
  }

  const namesIn = async (folder: string): Promise<string[]> => {
    try {
      return (await readdir(join(dataDirectory, folder))).filter((name) => name.endsWith('.json')).map((name) => name.slice(0, -'.json'.length))
    } catch (error) {
      if (isMissing(error)) return []
      throw error
    }
  }

  /** Looks for what other servers and crashes left in `status` and `history`. */
  const seenAt = new Map<string, number>()
  const lookAround = async (): Promise<void> => {
    await refreshList()
    // What becomes known while the folder is read may not be among what is found there.
    const before = [...statuses]
    const ids = await namesIn('status')
    const there = new Set(ids)
    for (const [id, status] of before) if (!there.has(id) && statuses.get(id) === status && !turns.has(id)) release(id)
    for (const id of seenAt.keys()) if (!there.has(id)) seenAt.delete(id)
    const unfinished: string[] = []
    await pMap(
      ids,
      async (id) => {
        const mtimeMs = (await stat(statusPath(id), ifThere))?.mtimeMs
        if (mtimeMs === undefined || (seenAt.get(id) === mtimeMs && statuses.has(id))) return
        seenAt.set(id, mtimeMs)
        const job = index.job(id)
        if (job === undefined) return void unfinished.push(id)
        const { status, history } = await readRecord(job)
        if (status?.state === 'performed' || (status !== undefined && history?.attempts.some((each) => each.claimHash === status.claimHash))) unfinished.push(id)
      },
      { concurrency: 16 },
    )
    // A list that a person is just editing does not tell which jobs are on it.
    if (listFile.problems().length > 0) return
    for (const id of unfinished) {
      await inTurn(id, async () => {
        const job = await listed(id)
        if (job === undefined) await clear(id)
        else await recover(await readRecord(job))
      })
    }
  }

  for (const folder of ['status', 'history', 'plans', 'logs', 'performed', 'removed']) await mkdir(join(dataDirectory, folder), { recursive: true })
  await refreshList()
  await pMap(await namesIn('history'), async (id) => keep(histories, id, await readDataFile(historySchema, historyPath(id))), { concurrency: 16 })
  await lookAround()

  let closed = false
  let looking: Promise<void> = Promise.resolve()
  let timer: NodeJS.Timeout
  const lookAgain = (waitMs: number): void => {
    timer = setTimeout(() => {
      const startedAt = performance.now()
      looking = lookAround()
        .catch((error: unknown) => log?.error({ err: error }, 'the job directory cannot be read'))
        .finally(() => {
          if (!closed) lookAgain(Math.max(lookEveryMs, (performance.now() - startedAt) / lookShare))
        })
    }, waitMs)
    timer.unref()
  }
  lookAgain(lookEveryMs)
  // A person's edit is seen at once where the file system tells of it.
  const watcher = watch(dataDirectory, { persistent: false }, (_event, name) => {
    if (name === 'jobs.json') void refreshList().catch((error: unknown) => log?.error({ err: error }, 'jobs.json cannot be read'))
  })
  watcher.on('error', (error) => log?.warn({ reason: error.message }, 'the job directory is not watched; it is looked at twice a second'))

  return {
    async list() {
      await refreshList()
      return [...index.inOrder()].map(known)
    },
    async read(id) {
      const job = await listed(id)
      return job === undefined ? undefined : readRecord(job)
    },
    async available({ accept, limit }) {
      const found: JobRecord[] = []
      for (const job of index.from((id) => statuses.has(id))) {
        if (job.assignedTo !== undefined) continue
        const record = known(job)
        if (accept(record)) found.push(record)
        if (found.length >= limit) break
      }
      return found
    },
    assigned: async () => [...index.assigned()].filter(({ id }) => !statuses.has(id)).map(known),
    async held() {
      return [...statuses].flatMap(([id, status]) => {
        const job = index.job(id)
        return job === undefined || !isHeld(status) ? [] : [known(job)]
      })
    },
    async claim(id, make) {
      const job = await listed(id)
      if (job === undefined) return undefined
      const history = await readDataFile(historySchema, historyPath(id))
      keep(histories, id, history)
      const status = make(recordOf(job, undefined, history))
      // Nothing has to be written to see that a job is taken which was taken a moment ago.
      const taken = statuses.has(id) ? (await readRecord(job)).status : undefined
      if (taken !== undefined) return { claimed: taken.claimHash === status.claimHash, status: taken }
      if (await createFile(statusPath(id), renderDataFile(status))) {
        statuses.set(id, status)
        if ((await listed(id)) !== undefined) return { claimed: true, status }
        // Taken off since we looked.
        await inTurn(id, async () => ((await listed(id)) === undefined ? clear(id) : undefined))
        return undefined
      }
      const { status: held } = await readRecord(job)
      // Released in this very moment: the next who asks may have it.
      return { claimed: held?.claimHash === status.claimHash, status: held ?? status }
    },
    change: (id, decide) =>
      inTurn(id, async () => {
        for (;;) {
          const job = index.job(id)
          const record = job === undefined ? undefined : await recover(await readRecord(job))
          if (record === undefined) return undefined
          const change = decide(record)
          if (await write(record, change)) return { record, change }
        }
      }),
    add: (job, place) =>
      inTurn(job.id, async () => {
        if (index.job(job.id) !== undefined) throw new HttpProblem(409, `job '${job.id}' is listed already`)
        // What an earlier job of that id left behind is not this one's.
        await Promise.all([removeFile(historyPath(job.id)), removeFile(statusPath(job.id))])
        statuses.delete(job.id)
        histories.delete(job.id)
        await rename(pathOf('logs', job.id, 'log'), pathOf('logs', `${job.id}~${Date.now()}`, 'log')).catch((error: unknown) => (isMissing(error) ? undefined : Promise.reject(error)))
        await edit((jobs) => placeJob(jobs, job, place ?? { at: 'last' }))
      }),
    edit: (id, change) =>
      inTurn(id, async () => {
        await edit((jobs) => jobs.map((each) => (each === find(jobs, id) ? change(each) : each)))
        return find(listFile.jobs(), id)
      }),
    move: (id, place) =>
      inTurn(id, async () => {
        await edit((jobs) => placeJob(jobs.filter((each) => each.id !== id), find(jobs, id), place))
        return find(listFile.jobs(), id)
      }),
    async ended(id) {
      const removed = await readDataFile(endedJobSchema, pathOf('removed', id))
      if (removed !== undefined) return removed
      let last: EndedJob | undefined
      for (let run = 1; ; run++) {
        const found = await readDataFile(endedJobSchema, pathOf('performed', run === 1 ? id : `${id}_${run}`))
        if (found === undefined) return last
        if (found.job.id === id) last = found
      }
    },
    async performed() {
      const ended = await pMap(await namesIn('performed'), (version) => readDataFile(endedJobSchema, pathOf('performed', version)), { concurrency: 16 })
      return ended.filter((each) => each !== undefined).toSorted((one, other) => one.endedAt.localeCompare(other.endedAt))
    },
    isPerformed: async (version) => (await stat(pathOf('performed', version), ifThere)) !== undefined,
    writePlan: (id, plan) => replaceFile(pathOf('plans', id), renderDataFile(plan)),
    plan: (id) => readDataFile(planSchema, pathOf('plans', id)),
    appendLog: (id, text) => appendToFile(pathOf('logs', id, 'log'), text),
    log: (id) => readIfThere(pathOf('logs', id, 'log')),
    problems: () => listFile.problems(),
    follow(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    async close() {
      closed = true
      clearTimeout(timer)
      watcher.close()
      await looking
      await Promise.all(turns.values())
      lock.close()
    },
  }
}
