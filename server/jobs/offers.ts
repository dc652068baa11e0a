import { unmetRequirements, type KnownMachine } from './unmet-requirements.ts'
import type { JobRecord, JobStore } from './job-store.ts'
import { isWaiting } from './rules.ts'

/** A job offered to one worker is kept from the others for so long. */
const reservedMs = 2000
/** Waiting workers are looked after this often even when no change was told: jobs become available by time too. */
const tickMs = 500

export interface OffersOptions {
  store: JobStore
  machine: (id: string) => Promise<KnownMachine>
  /** Milliseconds since 1970. */
  now: () => number
}

export interface Asked {
  worker: string
  limit: number
  waitMs?: number
  signal?: AbortSignal
}

/** Which jobs a worker may take now, spread so that many workers do not run for the same one. It is only the claim that decides. */
export interface Offers {
  ask(asked: Asked): Promise<JobRecord[]>
  /** A claim on the job is under way: it is offered to nobody until the returned function is called. */
  holdBack(id: string): () => void
  close(): void
}

interface Waiter extends Asked {
  resolve: (records: JobRecord[]) => void
}

export function createOffers({ store, machine, now }: OffersOptions): Offers {
  const reserved = new Map<string, { worker: string; until: number }>()
  const claiming = new Set<string>()
  const waiters = new Set<Waiter>()

  const isReserved = (id: string, worker: string, time = performance.now()): boolean => {
    const found = reserved.get(id)
    if (found === undefined || found.worker === worker) return false
    if (found.until > time) return true
    reserved.delete(id)
    return false
  }

  /**
   * The first is kept for the worker from the moment it is found, so that the next who asks is not told the same; the others are for when it comes too
   * late. The machine is looked up only when a job asks something of it.
   */
  async function find({ worker, limit }: Asked, { exclusive }: { exclusive: boolean }): Promise<JobRecord[]> {
    let known: KnownMachine | undefined
    for (;;) {
      const [nowMs, time] = [now(), performance.now()]
      let asksMachine = false
      let kept: string | undefined
      const accept = (record: JobRecord): boolean => {
        const { id, requires } = record.job
        if (isWaiting(record, nowMs) || claiming.has(id) || (exclusive && isReserved(id, worker, time))) return false
        if (requires !== undefined) {
          asksMachine ||= known === undefined
          if (known === undefined || unmetRequirements(record.job, known).length > 0) return false
        }
        if (exclusive && kept === undefined) reserved.set((kept = id), { worker, until: time + reservedMs })
        return true
      }
      const pushed = (await store.assigned()).filter((record) => record.job.assignedTo === worker && accept(record))
      const pulled = pushed.length >= limit ? [] : await store.available({ accept, limit: limit - pushed.length })
      if (!asksMachine) return [...pushed, ...pulled].slice(0, limit)
      if (kept !== undefined) reserved.delete(kept)
      known = await machine(worker)
    }
  }

  const leave = (waiter: Waiter, records: JobRecord[]): void => {
    if (waiters.delete(waiter)) waiter.resolve(records)
  }

  // One look for all who wait, in the order in which they came: when nothing at all is free, nobody has to be looked after.
  let serving = false
  let again = false
  async function serve(): Promise<void> {
    again = true
    if (serving) return
    serving = true
    try {
      while (again) {
        again = false
        for (const waiter of waiters) {
          const free = await store.available({ accept: (record) => !isWaiting(record, now()) && !claiming.has(record.job.id) && !isReserved(record.job.id, ''), limit: 1 })
          if (free.length === 0 && (await store.assigned()).length === 0) break
          const records = await find(waiter, { exclusive: true })
          if (records.length === 0) continue
          if (waiters.has(waiter)) leave(waiter, records)
          else reserved.delete(records[0]!.job.id)
        }
      }
    } finally {
      serving = false
    }
  }
  // What fails here fails for the next who asks too, and is told then.
  const wake = (): void => {
    if (waiters.size > 0) void serve().catch(() => {})
  }
  const unfollow = store.follow(() => setImmediate(wake))
  const tick = setInterval(wake, tickMs)
  tick.unref()

  return {
    async ask(asked) {
      const free = await find(asked, { exclusive: true })
      if (free.length > 0) return free
      // Better one that another was just offered than nothing; a worker that waits has the time to see whether it is taken.
      if (asked.waitMs === undefined || asked.waitMs <= 0) return find(asked, { exclusive: false })
      return new Promise((resolve) => {
        const timer = setTimeout(() => leave(waiter, []), asked.waitMs)
        const stop = () => leave(waiter, [])
        const waiter: Waiter = {
          ...asked,
          resolve(records) {
            clearTimeout(timer)
            asked.signal?.removeEventListener('abort', stop)
            resolve(records)
          },
        }
        waiters.add(waiter)
        asked.signal?.addEventListener('abort', stop)
        if (asked.signal?.aborted === true) stop()
      })
    },
    holdBack(id) {
      const isFirst = !claiming.has(id)
      claiming.add(id)
      return () => {
        if (!isFirst) return
        claiming.delete(id)
        reserved.delete(id)
      }
    },
    close() {
      unfollow()
      clearInterval(tick)
      for (const waiter of waiters) leave(waiter, [])
    },
  }
}
