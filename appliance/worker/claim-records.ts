import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises'
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
  list(): Promise<ClaimRecord[]>
  write(record: ClaimRecord): Promise<void>
  remove(record: ClaimRecord): Promise<void>
}

export function openClaimRecords(stateDirectory: string): ClaimRecords {
  const folder = join(stateDirectory, 'claims')
  const path = ({ job, claimId }: ClaimRecord) => join(folder, `${job}.${claimId}.json`)
  return {
    async list() {
      await mkdir(folder, { recursive: true })
      const names = (await readdir(folder)).filter((name) => name.endsWith('.json'))
      const texts = await Promise.all(names.map((name) => readFile(join(folder, name), 'utf8')))
      // Empty: the process died while it wrote, which is before it claimed.
      return texts.filter((text) => text.endsWith('}\n')).map((text) => JSON.parse(text) as ClaimRecord)
    },
    async write(record) {
      await mkdir(folder, { recursive: true })
      await writeFile(path(record), `${JSON.stringify(record)}\n`, { mode: 0o600 })
    },
    remove: (record) => rm(path(record), { force: true }),
  }
}
