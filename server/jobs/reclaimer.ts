import type { Logger } from 'pino'
import type { JobRecord, JobStore } from './job-store.ts'
import type { SilentLoss } from './rules.ts'

/** What is known of a claim by this process's own clock, which no one sets: steps of the time of day end no job (B9). */
interface Watched {
  heartbeatAt: string
  heardAtMs: number
  deadlineMs: number
}

export interface ReclaimerOptions {
  store: Pick<JobStore, 'held'>
  /** Ends a claim: checks again, with nobody in between, that it is the claim and the sign of life that were seen. */
  end: (seen: JobRecord, loss: Exclude<SilentLoss, 'given-back'>) => Promise<void>
  /** The process's own clock, in milliseconds, and the time of day in milliseconds since 1970. */
  monotonic?: () => number
  now?: () => number
  /** How often to look, default 1000 ms. */
  everyMs?: number
  log?: Logger
}

/** Looks after the two clocks of every claim: the sign of life and the time limit. */
export interface Reclaimer {
  /** One look at all claims; done on its own once a second. */
  look(): Promise<void>
  close(): Promise<void>
}

/**
 * Claims that this process has not seen before are given their whole silence limit from now on: while the server was away their workers could not be
 * heard, and bring what they have done when it is back.
 */
export function startReclaimer({ store, end, monotonic = () => performance.now(), now = Date.now, everyMs = 1000, log }: ReclaimerOptions): Reclaimer {
  const watched = new Map<string, Watched>()

  async function look(): Promise<void> {
    const time = monotonic()
    const held = await store.held()
    const claims = new Set(held.map(({ status }) => status!.claimHash))
    for (const claim of watched.keys()) if (!claims.has(claim)) watched.delete(claim)
    for (const record of held) {
      const { job } = record
      const status = record.status!
      const silenceLimitMs = job.silenceLimitSeconds * 1000
      let seen = watched.get(status.claimHash)
      if (seen === undefined) {
        const leftMs = Math.min(Date.parse(status.deadlineAt) - now(), job.timeLimitSeconds * 1000)
        // A job claimed a moment ago has its time limit; one whose time ran out while nobody looked may still deliver what is done.
        const isNew = now() - Date.parse(status.claimedAt) < silenceLimitMs
        seen = { heartbeatAt: status.heartbeatAt, heardAtMs: time, deadlineMs: time + (isNew ? leftMs : Math.max(leftMs, silenceLimitMs)) }
        watched.set(status.claimHash, seen)
      }
      if (seen.heartbeatAt !== status.heartbeatAt) Object.assign(seen, { heartbeatAt: status.heartbeatAt, heardAtMs: time })
      if (time >= seen.deadlineMs) await end(record, 'time-limit')
      else if (time - seen.heardAtMs >= silenceLimitMs) await end(record, 'silent')
    }
  }

  let looking: Promise<void> = Promise.resolve()
  let closed = false
  let timer: NodeJS.Timeout
  const schedule = (): void => {
    timer = setTimeout(() => {
      looking = look()
        .catch((error: unknown) => log?.error({ err: error }, 'the claims cannot be looked after'))
        .finally(() => {
          if (!closed) schedule()
        })
    }, everyMs)
    timer.unref()
  }
  schedule()
  return {
    look,
    async close() {
      closed = true
      clearTimeout(timer)
      await looking
    },
  }
}
