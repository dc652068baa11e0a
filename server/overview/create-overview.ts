import { setTimeout as sleep } from 'node:timers/promises'
import { isDeepStrictEqual } from 'node:util'
import type { Logger } from 'pino'
import type { JobRow, MachineCard, OverviewChange, OverviewSnapshot } from '../api/overview.ts'
import type { EventLog } from '../event-log.ts'
import type { JobService } from '../jobs/job-service.ts'
import type { MachineStore } from '../machine-store.ts'
import type { MachineHistories } from '../timeline/machine-histories.ts'
import { diffOrder } from './diff-order.ts'
import { diffEntries, isShallowlySame, type Entries } from './entries.ts'
import { createMachineWatch } from './machine-watch.ts'
import { renderJobRow } from './render-job-row.ts'
import { renderMachineCard } from './render-machine-card.ts'

/** Those who follow hear of changes at once, but not more often than this, in milliseconds, and than makes this share of a processor's time. */
const leastMs = 100
const busyShare = 0.2
/** What nobody tells of, such as a time that has passed, is looked for so often. */
const quietMs = 2000
/** Changes that are kept for those who lost their connection for a moment. */
const keptChanges = 120

export type Told = { kind: 'snapshot'; snapshot: OverviewSnapshot } | { kind: 'change'; change: OverviewChange }

/** All machines and the whole list, looked at only while somebody asks or follows. */
export interface Overview {
  snapshot(): Promise<OverviewSnapshot>
  /** Tells `listener` what came since the revision `after`, or all when that is not known any more, and then every change, until the returned function is called. */
  follow(after: string | undefined, listener: (told: Told) => void): Promise<() => void>
  close(): Promise<void>
}

export interface OverviewOptions {
  jobs: Pick<JobService, 'list' | 'problems' | 'follow'>
  machines: Pick<MachineStore, 'list'>
  events: Pick<EventLog, 'follow' | 'written'>
  histories: MachineHistories
  log: Logger
  now?: () => number
}

interface Seen {
  revision: number
  jobs: Entries<JobRow>
  order: readonly string[]
  machines: Entries<MachineCard>
  problems: readonly string[]
}

export function createOverview({ jobs, machines, events, histories, log, now = Date.now }: OverviewOptions): Overview {
  const heard = createMachineWatch(histories)
  let news = Promise.withResolvers<void>()
  const unfollowEvents = events.follow(({ event }) => {
    heard.advance(event)
    news.resolve()
  })
  const unfollowJobs = jobs.follow(() => news.resolve())

  // Revisions of an earlier start mean nothing to this one.
  const epoch = now().toString(36)
  const revisionOf = (number: number): string => `${epoch}-${number}`
  let seen: Seen = { revision: 0, jobs: new Map(), order: [], machines: new Map(), problems: [] }
  let changes: { number: number; change: OverviewChange }[] = []
  const listeners = new Set<(told: Told) => void>()

  const look = async (): Promise<void> => {
    await events.written()
    await heard.refresh()
    const [rows, known] = await Promise.all([jobs.list().then((list) => list.map(renderJobRow)), machines.list()])
    const nowMs = now()
    const named = new Set(known.map(({ id }) => id))
    const unnamed = heard.machines().filter((id) => !named.has(id)).map((id) => ({ id, scratchSerials: [], labels: {} }))
    const cards = [...known, ...unnamed].map((record) => renderMachineCard(record, heard.of(record.id, nowMs)))
    const jobChange = diffEntries(seen.jobs, rows, isShallowlySame)
    const machineChange = diffEntries(seen.machines, cards, isDeepStrictEqual)
    const before = jobChange.gone.length === 0 ? seen.order : seen.order.filter((id) => jobChange.entries.has(id))
    const order = rows.map(({ id }) => id)
    const orderChange = diffOrder(before, order)
    const problems = jobs.problems()
    const areNew = problems.join('\n') !== seen.problems.join('\n')
    const isSame = [jobChange, machineChange].every(({ set, gone }) => set.length + gone.length === 0) && orderChange === undefined && !areNew
    if (isSame) return
    const revision = seen.revision + 1
    seen = { revision, jobs: jobChange.entries, order, machines: machineChange.entries, problems }
    const change: OverviewChange = {
      revision: revisionOf(revision),
      jobs: jobChange.set,
      jobsGone: jobChange.gone,
      ...(orderChange === undefined ? {} : { order: orderChange }),
      machines: machineChange.set,
      machinesGone: machineChange.gone,
      ...(areNew ? { problems } : {}),
    }
    changes = [...changes.slice(1 - keptChanges), { number: revision, change }]
    for (const listener of listeners) listener({ kind: 'change', change })
  }

  // One at a time, whoever asks.
  let looking: Promise<void> | undefined
  const lookOnce = (): Promise<void> => (looking ??= look().finally(() => (looking = undefined)))

  const stop = new AbortController()
  const pause = (ms: number): Promise<void> => sleep(ms, undefined, { signal: stop.signal }).catch(() => {})
  let repeating: Promise<void> | undefined
  const repeat = async (): Promise<void> => {
    while (listeners.size > 0 && !stop.signal.aborted) {
      const startedMs = performance.now()
      news = Promise.withResolvers()
      await lookOnce().catch((error: unknown) => log.error({ err: error }, 'the overview cannot be made'))
      const costMs = performance.now() - startedMs
      await pause(Math.max(leastMs, costMs / busyShare))
      await Promise.race([news.promise, pause(quietMs)])
    }
    repeating = undefined
  }

  const snapshotNow = (): OverviewSnapshot => ({
    revision: revisionOf(seen.revision),
    jobs: seen.order.map((id) => seen.jobs.get(id)!),
    machines: [...seen.machines.values()],
    problems: seen.problems,
  })

  return {
    async snapshot() {
      await lookOnce()
      return snapshotNow()
    },
    async follow(after, listener) {
      await lookOnce()
      const [ofEpoch, number] = after?.split('-') ?? []
      const missed = ofEpoch === epoch ? changes.filter((each) => each.number > Number(number)) : []
      const isWhole = ofEpoch === epoch && (missed[0]?.number ?? seen.revision + 1) === Number(number) + 1
      if (isWhole) for (const { change } of missed) listener({ kind: 'change', change })
      else listener({ kind: 'snapshot', snapshot: snapshotNow() })
      listeners.add(listener)
      repeating ??= repeat()
      return () => listeners.delete(listener)
    },
    async close() {
      unfollowEvents()
      unfollowJobs()
      stop.abort()
      await repeating
      await looking?.catch(() => {})
    },
  }
}
