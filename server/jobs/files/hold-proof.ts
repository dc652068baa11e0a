import { mkdir, rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import type { ProofHold } from '../job-store.ts'

/** SQLITE_BUSY: another process, or another holder in this one, has the lock. */
const busy = 5

/**
 * The lock of `createDirectoryLock` on a file of its own, tried once and then held for as long as a proof takes. The file goes with the lock: two that
 * came by it in the moment of its going might both hold one, which does no harm, for only one of them can end the proof.
 */
export async function holdProof(path: string): Promise<ProofHold | undefined> {
  await mkdir(dirname(path), { recursive: true })
  const database = new DatabaseSync(path, { timeout: 0 })
  try {
    database.exec('BEGIN EXCLUSIVE')
  } catch (error) {
    database.close()
    if ((error as { errcode?: number }).errcode === busy) return undefined
    throw error
  }
  return {
    async letGo() {
      await rm(path, { force: true })
      database.close()
    },
  }
}
