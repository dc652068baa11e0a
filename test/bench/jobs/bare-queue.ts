import { Pool } from 'pg'
import type { Claims } from './options.ts'

/** Connections that the workers of the bare queue share: more of them are slower on two processors. */
const connections = 16

/**
 * The least that a queue in PostgreSQL does: many workers take the first free row each, and mark it, in one transaction (`FOR UPDATE SKIP LOCKED`,
 * PostgreSQL 15, "SELECT", "The Locking Clause"). No HTTP, no rules, no history.
 */
export async function measureBareQueue({ databaseUrl, workers, jobs }: { databaseUrl: string; workers: number; jobs: number }): Promise<Claims> {
  const pool = new Pool({ connectionString: databaseUrl, max: connections })
  try {
    await pool.query('CREATE TABLE queue (id integer PRIMARY KEY, worker text, claimed_at timestamptz)')
    await pool.query('CREATE INDEX free ON queue (id) WHERE worker IS NULL')
    await pool.query('INSERT INTO queue (id) SELECT generate_series(1, $1::integer)', [jobs])
    await pool.query('ANALYZE queue')
    const claims: Claims = { durationMs: 0, askAndClaimMs: [], claimMs: [], refused: 0 }
    const work = async (worker: string): Promise<void> => {
      for (;;) {
        const askedAt = performance.now()
        if (!(await claim(pool, worker))) return
        const ms = performance.now() - askedAt
        claims.askAndClaimMs.push(ms)
        claims.claimMs.push(ms)
      }
    }
    const startedAt = performance.now()
    await Promise.all(Array.from({ length: workers }, (_, index) => work(`worker-${index}`)))
    claims.durationMs = performance.now() - startedAt
    return claims
  } finally {
    await pool.end()
  }
}

async function claim(pool: Pool, worker: string): Promise<boolean> {
  const client = await pool.connect()
  try {
    await client.query('BEGIN')
    const { rows } = await client.query<{ id: number }>('SELECT id FROM queue WHERE worker IS NULL ORDER BY id FOR UPDATE SKIP LOCKED LIMIT 1')
    const [row] = rows
    if (row !== undefined) await client.query('UPDATE queue SET worker = $2, claimed_at = now() WHERE id = $1', [row.id, worker])
    await client.query('COMMIT')
    return row !== undefined
  } finally {
    client.release()
  }
}
