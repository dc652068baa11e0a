import { setTimeout as sleep } from 'node:timers/promises'
import { Client, DatabaseError, Pool, type ClientConfig, type PoolClient, type QueryResultRow } from 'pg'
import type { Logger } from 'pino'
import { IngotError } from '../../errors.ts'

/** Runs one statement and returns its rows; values stand for `$1`, `$2`, … */
export type Query = <Row extends QueryResultRow>(text: string, values?: readonly unknown[]) => Promise<Row[]>

/** PostgreSQL behind connections that may break at any time. */
export interface Database {
  /** What a client of the same server is made from. */
  readonly clientConfig: ClientConfig
  /** For messages, without the password: `host:port/database`. */
  readonly address: string
  /** Runs a statement that does no harm when it is run twice; it is repeated when its connection breaks. */
  query: Query
  /**
   * Runs a statement that must not be repeated blindly. `undefined`: the connection broke before the answer came, so that it may have been done or not;
   * the caller has to look.
   */
  queryOnce<Row extends QueryResultRow>(text: string, values: readonly unknown[]): Promise<Row[] | undefined>
  /** Runs statements as one; all of it is repeated when the connection breaks, also when that was during the commit. */
  transaction<Result>(act: (query: Query) => Promise<Result>): Promise<Result>
  /** From now on nothing waits for a server that is away. */
  stopWaiting(): void
  close(): Promise<void>
}

export interface DatabaseOptions {
  /** For example `postgres://ingot:secret@db.example/ingot`; what it leaves out comes from PGUSER, PGPASSWORD, ~/.pgpass and the like, as with psql. */
  url: string
  /** How long a call waits for a server that is away, in milliseconds. */
  patienceMs: number
  connections: number
  log?: Logger
}

/** Besides class 08 (PostgreSQL 15, appendix A): server shut down, crashed, starting up; a statement cancelled for taking too long; too many connections. */
const awayStates = new Set(['57P01', '57P02', '57P03', '57014', '53300', '25P03'])
/** The server is there and does not let us in: class 28 (who we are), an unknown database, no permission. */
const refusedStates = /^(28...|3D000|42501)$/
const diskFullState = '53100'

/** The server could not be asked, or its answer did not come. */
class Away extends Error {}

const awayOr = (error: unknown): unknown => {
  // What pg throws without an answer of the server is about the connection; a `TypeError` is about us.
  const away = error instanceof DatabaseError ? error.code !== undefined && (error.code.startsWith('08') || awayStates.has(error.code)) : !(error instanceof TypeError)
  return away ? new Away(reasonOf(error), { cause: error }) : error
}

/** A failed attempt to reach several addresses of a name has a message of its own for each. */
const reasonOf = (error: unknown): string => {
  if (error instanceof AggregateError) return error.errors.map(reasonOf).join('; ')
  return error instanceof Error ? error.message : String(error)
}

function clientConfigOf(url: string): ClientConfig {
  return {
    connectionString: url,
    fallback_application_name: 'ingot',
    connectionTimeoutMillis: 10_000,
    keepAlive: true,
    // The server gives up first, so that what it answers is certain; the client's own limit is for a network that is silent.
    statement_timeout: 20_000,
    query_timeout: 30_000,
    // A server of ours that stops in the middle of a transaction must not keep the others waiting.
    idle_in_transaction_session_timeout: 10_000,
  }
}

/** Connects when it is first asked for something. Throws `IngotError` 'config-invalid' for an address that is none. */
export function createDatabase({ url, patienceMs, connections, log }: DatabaseOptions): Database {
  const clientConfig = clientConfigOf(url)
  let address: string
  try {
    const { host, port, database } = new Client(clientConfig)
    address = `${host}:${port}/${database}`
  } catch {
    // The address stays out of it: it may hold a password.
    throw new IngotError('config-invalid', 'database: expected an address like postgres://user@host/database, got something else')
  }
  const pool = new Pool({ ...clientConfig, max: connections })
  // A connection that breaks while in use fails the statement, and one that breaks while idle is dropped by the pool: there is nothing more to do.
  pool.on('connect', (client) => client.on('error', () => {}))
  pool.on('error', (error) => log?.debug({ reason: error.message }, 'an idle connection to the job store broke'))
  let waits = true

  const explain = (error: unknown): unknown => {
    if (!(error instanceof DatabaseError) || error.code === undefined) return error
    if (error.code === diskFullState) return new IngotError('storage-full', `no space is left at the job store ${address}; nothing was changed`, { cause: error })
    if (refusedStates.test(error.code)) return new IngotError('config-invalid', `database: ${address} refused: ${error.message}`, { cause: error })
    return error
  }

  /** Repeats what failed because the server was away, until it is back or the patience is over. */
  async function patiently<Result>(act: () => Promise<Result>): Promise<Result> {
    const until = performance.now() + patienceMs
    for (let waitMs = 50; ; waitMs = Math.min(waitMs * 2, 1000)) {
      try {
        return await act()
      } catch (error) {
        if (!(error instanceof Away)) throw explain(error)
        if (!waits || performance.now() + waitMs > until) {
          throw new IngotError('store-unreachable', `the job store ${address} cannot be reached: ${error.message}`, { cause: error.cause })
        }
        log?.debug({ store: address, reason: error.message }, 'the job store is away')
        await sleep(waitMs * (0.5 + Math.random() / 2))
      }
    }
  }

  const connect = (): Promise<PoolClient> =>
    pool.connect().catch((error: unknown) => {
      throw awayOr(error)
    })

  /** A connection that failed in any way but with an answer goes out of the pool. */
  async function using<Result>(client: PoolClient, act: (query: Query) => Promise<Result>): Promise<Result> {
    const query: Query = async (text, values = []) => {
      try {
        return (await client.query({ text, values: [...values] })).rows
      } catch (error) {
        throw awayOr(error)
      }
    }
    let broken = false
    try {
      return await act(query)
    } catch (error) {
      broken = error instanceof Away
      throw error
    } finally {
      client.release(broken)
    }
  }

  return {
    clientConfig,
    address,
    query: (text, values) => patiently(async () => using(await connect(), (query) => query(text, values))),
    async queryOnce<Row extends QueryResultRow>(text: string, values: readonly unknown[]) {
      // As long as there is no connection, nothing was sent.
      const client = await patiently(connect)
      try {
        return await using(client, (query) => query<Row>(text, values))
      } catch (error) {
        if (error instanceof Away) return undefined
        throw explain(error)
      }
    },
    transaction: (act) =>
      patiently(async () =>
        using(await connect(), async (query) => {
          await query('BEGIN')
          try {
            const result = await act(query)
            await query('COMMIT')
            return result
          } catch (error) {
            if (!(error instanceof Away)) await query('ROLLBACK')
            throw error
          }
        }),
      ),
    stopWaiting() {
      waits = false
    },
    close: () => pool.end(),
  }
}
