import { Client } from 'pg'
import type { ProofHold } from '../job-store.ts'
import { proofLocks } from './advisory-locks.ts'
import type { Database } from './database.ts'

export interface ProofLocks {
  /** Keeps the proof of a job for this process alone; `undefined` when another, or this one, has it. Throws when the database is away. */
  hold(id: string): Promise<ProofHold | undefined>
  close(): Promise<void>
}

/** One connection, and what is held over it. */
interface Session {
  client: Promise<Client>
  held: Set<string>
}

/**
 * Advisory locks of one session (PostgreSQL 15, 13.3.5), however many: a database has few connections, and hundreds of images may come in at once. The
 * database gives them back when the session ends, however it ends. A holder that loses the connection goes on, and another may begin the same proof: only
 * one of them can end it, for what ends it is written over the state of the job.
 */
export function createProofLocks({ clientConfig }: Pick<Database, 'clientConfig'>): ProofLocks {
  let current: Session | undefined

  function openSession(): Session {
    const client = new Client(clientConfig)
    const session: Session = { client: client.connect().then(() => client), held: new Set() }
    const forget = (): void => {
      if (current === session) current = undefined
    }
    // Lost with its connection; the next who asks gets another.
    client.on('error', forget)
    client.on('end', forget)
    session.client.catch(forget)
    return session
  }

  return {
    async hold(id) {
      const session = (current ??= openSession())
      const { client, held } = session
      // A session may have the same lock any number of times.
      if (held.has(id)) return undefined
      held.add(id)
      try {
        const { rows } = await (await client).query<{ isMine: boolean }>('SELECT pg_try_advisory_lock($1, hashtext($2)) AS "isMine"', [proofLocks, id])
        if (rows[0]?.isMine !== true) {
          held.delete(id)
          return undefined
        }
      } catch (error) {
        held.delete(id)
        throw error
      }
      return {
        async letGo() {
          // With the connection went the lock.
          if (current === session) await (await client).query('SELECT pg_advisory_unlock($1, hashtext($2))', [proofLocks, id]).catch(() => {})
          held.delete(id)
        },
      }
    },
    async close() {
      const session = current
      current = undefined
      await session?.client.then((client) => client.end(), () => {})
    },
  }
}
