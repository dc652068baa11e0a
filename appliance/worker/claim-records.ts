import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** The worker's record of a claim (B15): `claims/<job>.<claim id>.json` below its state directory while the job is its own. */
export interface ClaimRecord {
  server: string
  job: string
  claim: string
  claimId: string
}

/**
 * What this worker holds, for the next start of its process. A record belongs to its claim, not to its job: the same job taken again, or a job of the
 * same name at another server, has a record of its own.
 */
export interface ClaimRecords {
  list(): ClaimRecord[]
  write(record: ClaimRecord): void
  remove(record: ClaimRecord): void
}

/** Synchronous, as all that the worker does before its claim (`main.ts`). */
export function openClaimRecords(stateDirectory: string): ClaimRecords {
  const folder = join(stateDirectory, 'claims')
  const path = ({ job, claimId }: ClaimRecord) => join(folder, `${job}.${claimId}.json`)
  return {
    list() {
      mkdirSync(folder, { recursive: true })
      const names = readdirSync(folder).filter((name) => name.endsWith('.json'))
      const texts = names.map((name) => readFileSync(join(folder, name), 'utf8'))
      // Empty: the process died while it wrote, which is before it claimed.
      return texts.filter((text) => text.endsWith('}\n')).map((text) => JSON.parse(text) as ClaimRecord)
    },
    write(record) {
      mkdirSync(folder, { recursive: true })
      writeFileSync(path(record), `${JSON.stringify(record)}\n`, { mode: 0o600 })
    },
    remove: (record) => rmSync(path(record), { force: true }),
  }
}
