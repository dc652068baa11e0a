import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openFileJobStore } from '../../../server/jobs/file-job-store.ts'
import { describeJobStore } from './job-store-contract.ts'

describeJobStore('jobs in files', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'job-store-'))
  return { open: () => openFileJobStore(directory), remove: () => rm(directory, { recursive: true, force: true }) }
})
