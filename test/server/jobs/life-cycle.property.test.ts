import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, test } from 'vitest'
import type { Plan } from '../../../images/plan.ts'
import { openFileJobStore } from '../../../server/jobs/file-job-store.ts'
import { createJobService, type JobService } from '../../../server/jobs/job-service.ts'
import type { JobStore } from '../../../server/jobs/job-store.ts'
import { openPostgresJobStore } from '../../../server/jobs/postgres/open-postgres-job-store.ts'
import { startPostgres, type TestPostgres } from '../../helpers/postgres.ts'
import { lifeCycleCommands } from './life-cycle-commands.ts'
import { backoff, type Model, type Real } from './life-cycle-model.ts'

const isFull = process.env.INGOT_SLOW_TESTS === '1'
const startMs = Date.parse('2026-11-24T12:00:00Z')
const plan: Plan = {
  version: 1,
  recipe: { name: 'r', digest: 'sha256:0' },
  architecture: 'amd64',
  firmware: ['bios'],
  tools: { name: 'tools', digest: `sha256:${'0'.repeat(64)}`, sizeBytes: 0 },
  steps: [{ kind: 'image', image: 'disk' }],
  proof: 'none',
}

/** One set of data, for one run. */
interface Home {
  open(): Promise<JobStore>
  remove(): Promise<void>
}

async function runLifeCycle(home: Home, commands: Iterable<fc.AsyncCommand<Model, Real, false>>): Promise<void> {
  const clock = { ms: startMs }
  const serve = async (): Promise<JobService> =>
    createJobService({
      store: await home.open(),
      makePlan: async () => plan,
      emit: () => {},
      machines: { read: async (id) => ({ id }), list: async () => [] },
      now: () => clock.ms,
      monotonic: () => clock.ms,
      backoff,
      reclaimEveryMs: 1_000_000,
    })
  const servers = [await serve(), await serve()]
  try {
    const model: Model = { now: startMs, jobs: [], performed: [], performedBy: new Map(), claims: [], upSince: servers.map(() => startMs) }
    const restart = async (index: number): Promise<void> => {
      await servers[index]!.close()
      servers[index] = await serve()
    }
    await fc.asyncModelRun(() => ({ model, real: { servers, clock, restart } }), commands)
  } finally {
    for (const each of servers) await each.close()
    await home.remove()
  }
}

/** A failure tells the seed and the path that bring it back: `fc.assert(…, { seed, path })`. */
function describeLifeCycle(makeHome: () => Promise<Home>): void {
  test('whatever operators, workers and clocks do: no job is lost, doubled or taken by a claim that has ended', { timeout: isFull ? 1_800_000 : 60_000 }, () =>
    fc.assert(
      fc.asyncProperty(lifeCycleCommands(), async (commands) => runLifeCycle(await makeHome(), commands)),
      isFull ? { numRuns: 300 } : { numRuns: 30, interruptAfterTimeLimit: 15_000 },
    ),
  )
}

describe('the life cycle of jobs in files', () => {
  describeLifeCycle(async () => {
    const directory = await mkdtemp(join(tmpdir(), 'ingot-life-'))
    return { open: () => openFileJobStore(directory), remove: () => rm(directory, { recursive: true }) }
  })
})

describe('the life cycle of jobs in PostgreSQL', () => {
  let postgres: TestPostgres
  beforeAll(async () => {
    postgres = await startPostgres()
  })
  afterAll(() => postgres.remove())
  describeLifeCycle(async () => {
    const url = await postgres.createDatabase()
    return { open: () => openPostgresJobStore({ url, connections: 2 }), remove: async () => {} }
  })
})
