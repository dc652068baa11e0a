import { Client } from 'pg'
import type { ProofHold } from '../job-store.ts'
import { proofLocks } from './advisory-locks.ts'
import type { Database } from './database.ts'

/**
 * An advisory lock of a session of its own (PostgreSQL 15, 13.3.5): the database gives it back when the session ends, however it ends. A holder that loses
 * its connection goes on, and another may begin the same proof: only one of them can end it, for what ends it is written over the state of the job.
 */
export async function holdProof({ clientConfig }: Database, id: string): Promise<ProofHold | undefined> {
  const client = new Client(clientConfig)
  // Lost with its connection; there is nothing more to do.
  client.on('error', () => {})
  await client.connect()
  const { rows } = await client.query<{ held: boolean }>('SELECT pg_try_advisory_lock($1, hashtext($2)) AS held', [proofLocks, id])
  if (rows[0]?.held === true) return { letGo: () => client.end() }
  await client.end()
  return undefined
}
