import { IngotError } from '../../errors.ts'
import { migrationLock } from './advisory-locks.ts'
import type { Database } from './database.ts'
import { migrations } from './migrations.ts'

/**
 * Brings the schema to the version that this program knows; of several servers that start at once one does it while the others wait. Throws
 * `IngotError` 'data-invalid' for a schema that is newer.
 */
export async function migrate(database: Database): Promise<void> {
  await database.transaction(async (query) => {
    await query('SELECT pg_advisory_xact_lock($1, $2)', migrationLock)
    const [found] = await query<{ there: boolean }>(`SELECT to_regclass('ingot.migrations') IS NOT NULL AS there`)
    if (found?.there !== true) {
      await query('CREATE SCHEMA IF NOT EXISTS ingot')
      await query('CREATE TABLE ingot.migrations (version integer PRIMARY KEY, applied_at timestamptz NOT NULL DEFAULT now())')
    }
    const [newest] = await query<{ version: number }>('SELECT coalesce(max(version), 0) AS version FROM ingot.migrations')
    const version = newest?.version ?? 0
    if (version > migrations.length) {
      throw new IngotError('data-invalid', `database: expected schema version ${migrations.length} or older at ${database.address}, got ${version}; a newer Ingot made it`)
    }
    for (const [index, statements] of [...migrations.entries()].slice(version)) {
      await query(statements)
      await query('INSERT INTO ingot.migrations (version) VALUES ($1)', [index + 1])
    }
  })
}
