import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openFileJobStore } from '../../../server/jobs/file-job-store.ts'
import { describeJobScenarios } from './job-scenarios.ts'

describeJobScenarios('files', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'ingot-jobs-'))
  return { open: () => openFileJobStore(directory), remove: () => rm(directory, { recursive: true }) }
})
