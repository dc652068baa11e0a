import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { Client } from 'pg'
import type { Logger } from 'pino'
import type { Database } from './database.ts'

const channel = 'ingot_jobs'
/** Notices wait for each other in the server, one commit after the other; so many changes in a row are told by one. */
const gatherMs = 25
/** A connection that is silently gone is found by asking; no notice for hours is nothing unusual. */
const probeEveryMs = 15_000
const firstWaitMs = 100
const mostWaitMs = 5000

/** Tells servers on the same database that something changed, and is told by them. */
export interface Notices {
  /** Tells the listeners here at once and the other servers within moments; what it is about must be committed. */
  announce(): void
  follow(listener: () => void): () => void
  close(): Promise<void>
}

export interface NoticesOptions {
  database: Database
  /** Called before the listeners when another server tells of a change, or may have. */
  onForeign: () => void
  log?: Logger
}

/**
 * Listens on a connection of its own, which is made anew whenever it breaks; the listeners are called after that too, for notices may have been missed.
 * Listening has begun when it returns, if the server could be reached.
 */
export async function openNotices({ database, onForeign, log }: NoticesOptions): Promise<Notices> {
  const own = randomUUID()
  const listeners = new Set<() => void>()
  const closing = new AbortController()
  const tell = (): void => {
    for (const listener of listeners) listener()
  }
  const tellOfForeign = (): void => {
    onForeign()
    tell()
  }
  let stop = (): void => {}
  const pause = (ms: number): Promise<unknown> => sleep(ms, undefined, { signal: closing.signal }).catch(() => {})

  /** Listens until the connection breaks; throws when there is none. */
  async function listen(onListening: () => void): Promise<void> {
    const client = new Client(database.clientConfig)
    const broken = Promise.withResolvers<void>()
    client.on('error', () => broken.resolve())
    client.on('end', () => broken.resolve())
    client.on('notification', ({ payload }) => {
      if (payload !== own) tellOfForeign()
    })
    stop = broken.resolve
    let probe: NodeJS.Timeout | undefined
    try {
      await client.connect()
      await client.query(`LISTEN ${channel}`)
      onListening()
      probe = setInterval(() => void client.query('SELECT').catch(() => broken.resolve()), probeEveryMs)
      if (!closing.signal.aborted) await broken.promise
    } finally {
      clearInterval(probe)
      // A connection that broke may never answer that it has ended.
      void client.end().catch(() => {})
    }
  }

  const started = Promise.withResolvers<void>()
  const listening = (async () => {
    let waitMs = firstWaitMs
    for (let isFirst = true; !closing.signal.aborted; isFirst = false) {
      try {
        await listen(() => {
          waitMs = firstWaitMs
          if (!isFirst) {
            log?.info('listening to the job store again')
            tellOfForeign()
          }
          started.resolve()
        })
        if (!closing.signal.aborted) log?.warn('the job store is away; changes by other servers are not told until it is back')
      } catch (error) {
        log?.debug({ reason: (error as Error).message }, 'the job store cannot be listened to')
      }
      started.resolve()
      await pause(waitMs)
      waitMs = Math.min(waitMs * 2, mostWaitMs)
    }
  })()
  await started.promise

  let changed = false
  let telling: Promise<void> | undefined
  async function tellOthers(): Promise<void> {
    while (changed) {
      changed = false
      await database.query('SELECT pg_notify($1, $2)', [channel, own]).catch((error: unknown) => log?.warn({ err: error }, 'other servers could not be told of a change'))
      await pause(gatherMs)
    }
  }

  return {
    announce() {
      tell()
      changed = true
      telling ??= tellOthers().finally(() => (telling = undefined))
    },
    follow(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    async close() {
      closing.abort()
      stop()
      await telling
      await listening
    },
  }
}
