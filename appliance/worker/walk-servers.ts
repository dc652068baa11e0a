import { setTimeout as sleep } from 'node:timers/promises'
import type { Logger } from 'pino'
import type { ListedJob } from '../../server/api/job.ts'
import { OutageError, RefusedError } from './answer-errors.ts'
import { backoffMs } from './backoff.ts'
import type { ServerConnection } from './connect-server.ts'
import type { HeldJob } from './held-job.ts'
import { giveUpAfterMs, UnreachableError } from './unreachable-error.ts'

export interface WalkOptions {
  servers: readonly ServerConnection[]
  worker: string
  /** Tries to take one of the offers, in order; `undefined` when others were first. */
  take: (server: ServerConnection, offers: readonly ListedJob[], signal: AbortSignal) => Promise<HeldJob | undefined>
  /** Tells a server of this machine, unless it knows; tells whether it did, so that there may be other offers now. */
  introduce: (server: ServerConnection, signal: AbortSignal) => Promise<boolean>
  /** Called when a server failed: it may come back as another, which knows nothing of us. */
  onFailed: (server: ServerConnection) => void
  log: Logger
  signal: AbortSignal
}

/** One server on the way, and how it answered last. */
interface Stop {
  server: ServerConnection
  failures: number
  /** A server that failed is passed over until then, on the clock of `performance.now()`. */
  dueAt: number
}

/** How long a server is asked to hold its answer back while it has no job for us. */
const waitSeconds = 25
/** A server that does not answer is asked again this soon, and at least this often. */
const passOverBackoff = { firstMs: 1000, capMs: 30_000 }
/** Offers that others took first: the sooner the more of us want the same job, so that each round leaves fewer. */
const outrunBackoff = { firstMs: 100, capMs: 5000 }
/** A server that does not wait, though asked to, is asked again no sooner. */
const shortestRoundMs = 1000

/**
 * Goes through the job servers in order, for as long as it takes, and comes back with the first job that it could take (B17). While none has one it
 * waits at all of them at once, and begins anew from the first as soon as one offers something. A server that does not answer is passed over, and asked
 * again with growing pauses. Throws `UnreachableError` when none answers for `giveUpAfterMs`, and the reason of `signal` once that is aborted.
 */
export async function walkServers({ servers, worker, take, introduce, onFailed, log, signal }: WalkOptions): Promise<HeldJob> {
  const stops: Stop[] = servers.map((server) => ({ server, failures: 0, dueAt: 0 }))
  let answeredAt = performance.now()
  if (stops.length === 0) throw new UnreachableError('this machine was told of no job server')

  /** Does something at a server, `undefined` when it is to be passed over. */
  const at = async <Result>(stop: Stop, act: () => Promise<Result>): Promise<Result | undefined> => {
    try {
      const result = await act()
      stop.failures = 0
      answeredAt = performance.now()
      return result
    } catch (error) {
      signal.throwIfAborted()
      if (!(error instanceof OutageError || error instanceof RefusedError)) throw error
      const againInMs = Math.round(backoffMs(++stop.failures, passOverBackoff))
      stop.dueAt = performance.now() + againInMs
      onFailed(stop.server)
      log.warn({ server: stop.server.url, reason: error.message, againInMs }, 'job server passed over')
      if (performance.now() - answeredAt > giveUpAfterMs) throw new UnreachableError(`no job server answered for ${giveUpAfterMs / 1000} s`)
      return undefined
    }
  }

  /** One round: every server that answers, in order. */
  const goThrough = async (): Promise<{ held?: HeldJob; offered: boolean }> => {
    let offered = false
    for (const stop of stops.filter(({ dueAt }) => dueAt <= performance.now())) {
      const held = await at(stop, async () => {
        const look = async () => {
          const offers = await stop.server.offers({ worker, signal })
          offered ||= offers.length > 0
          return take(stop.server, offers, signal)
        }
        return (await look()) ?? ((await introduce(stop.server, signal)) ? look() : undefined)
      })
      if (held !== undefined) return { held, offered }
    }
    return { offered }
  }

  for (let outrun = 0; ; ) {
    const { held, offered } = await goThrough()
    if (held !== undefined) return held
    outrun = offered ? outrun + 1 : 0
    if (offered) await sleep(backoffMs(outrun, outrunBackoff), undefined, { signal }).catch(() => signal.throwIfAborted())
    else await waitForOffers({ stops, worker, at, signal })
  }
}

interface WaitOptions extends Pick<WalkOptions, 'worker' | 'signal'> {
  stops: readonly Stop[]
  at: <Result>(stop: Stop, act: () => Promise<Result>) => Promise<Result | undefined>
}

/** Waits at all servers at once until one of them offers a job or is back, and then leaves the others. */
async function waitForOffers({ stops, worker, at, signal }: WaitOptions): Promise<void> {
  const enough = new AbortController()
  const until = AbortSignal.any([signal, enough.signal])

  const waitAt = async (stop: Stop): Promise<void> => {
    for (let nextAt = 0; ; ) {
      await sleep(Math.max(0, nextAt - performance.now(), stop.dueAt - performance.now()), undefined, { signal: until })
      nextAt = performance.now() + shortestRoundMs
      // Whether a server that failed is back shows sooner when it is not asked to wait.
      const wasAway = stop.failures > 0
      const offers = await at(stop, () => stop.server.offers({ worker, ...(wasAway ? {} : { waitSeconds }), signal: until }))
      if (offers !== undefined && (wasAway || offers.length > 0)) return
    }
  }

  const waits = stops.map(waitAt)
  try {
    await Promise.race(waits)
  } catch (error) {
    signal.throwIfAborted()
    throw error
  } finally {
    enough.abort()
    await Promise.allSettled(waits)
  }
}
