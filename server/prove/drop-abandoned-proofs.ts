import { readdir, rm } from 'node:fs/promises'
import type { ProvingJobs } from '../jobs/proving-jobs.ts'
import { proofPaths } from './proof-paths.ts'

/** Removes the disks of proofs whose server was killed; not those of one that runs. */
export async function dropAbandonedProofs(directory: string, jobs: Pick<ProvingJobs, 'hold'>): Promise<void> {
  const { allWork, work } = proofPaths(directory)
  const left = await readdir(allWork).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return []
    throw error
  })
  for (const job of left) {
    const hold = await jobs.hold(job)
    if (hold === undefined) continue
    try {
      await rm(work(job), { recursive: true, force: true })
    } finally {
      await hold.letGo()
    }
  }
}
