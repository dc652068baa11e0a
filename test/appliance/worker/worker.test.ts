import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { pino } from 'pino'
import { httpFetch } from '../../../appliance/worker/http-fetch.ts'
import { runWorker } from '../../../appliance/worker/worker.ts'
import type { PerformOptions } from '../../../appliance/worker/perform-job.ts'
import { openEventLog } from '../../../server/event-log.ts'
import { createApp } from '../../../server/http/app.ts'
import { jobRoutes } from '../../../server/http/routes/jobs.ts'
import { machineRoutes } from '../../../server/http/routes/machines.ts'
import { tokenAuthorize } from '../../../server/http/token-authorize.ts'
import { openFileJobStore } from '../../../server/jobs/file-job-store.ts'
import { createJobService, type JobService } from '../../../server/jobs/job-service.ts'
import { openMachineStore } from '../../../server/machine-store.ts'
import { openTokens, type Tokens } from '../../../server/tokens.ts'
import type { Inventory } from '../../../server/api/machine.ts'
import type { Plan } from '../../../images/plan.ts'

const log = pino({ level: 'silent' })
const machine = '52-54-00-12-34-56'
const inventory: Inventory = {
  id: machine, uuid: '', firmware: 'bios', secureBoot: false, architecture: 'amd64', manufacturer: '', model: '', serial: '',
  cpu: { model: 'x', cores: 1 }, memoryBytes: 1, disks: [], nics: [], workerVersion: 'test',
}
const plan = { version: 1, recipe: { name: 'r', digest: 'd' }, architecture: 'amd64', firmware: ['bios'], tools: { name: 't', digest: `sha256:${'0'.repeat(64)}`, sizeBytes: 0 }, steps: [{ kind: 'image', image: 'r' }] } as Plan

interface TestServer {
  url: string
  jobs: JobService
  tokens: Tokens
  directory: string
  close(): Promise<void>
}

async function startServer(jobIds: string[], servers: { url: string; credential?: string }[] = []): Promise<TestServer> {
  const directory = await mkdtemp(join(tmpdir(), 'ingot-server-'))
  await writeFile(join(directory, 'jobs.json'), JSON.stringify({ version: 1, jobs: jobIds.map((id) => ({ id, recipe: 'r' })) }))
  const events = openEventLog(directory)
  const tokens = openTokens(directory)
  const jobs = createJobService({ store: openFileJobStore(directory), makePlan: async () => plan, emit: events.emit })
  const app = createApp({ log })
  const authorize = tokenAuthorize(tokens)
  await app.register(jobRoutes, { jobs, authorize, emit: events.emit, createJob: () => Promise.reject(new Error('not here')) })
  const walk = servers.length === 0 ? [{ url: '' }] : servers
  await app.register(machineRoutes, { machines: openMachineStore(directory), tokens, authorize, emit: events.emit, servers: walk })
  const url = await app.listen({ host: '127.0.0.1', port: 0 })
  if (walk[0]?.url === '') walk[0].url = url
  return {
    url, jobs, tokens, directory,
    close: async () => {
      await app.close()
      await events.close()
      await rm(directory, { recursive: true })
    },
  }
}

let state: string
let opened: TestServer[]
beforeEach(async () => {
  state = await mkdtemp(join(tmpdir(), 'ingot-worker-'))
  opened = []
})
afterEach(async () => {
  for (const server of opened) await server.close()
  await rm(state, { recursive: true })
})
const open = async (...args: Parameters<typeof startServer>) => {
  const server = await startServer(...args)
  opened.push(server)
  return server
}

/** Runs a worker until `until` jobs were performed; tells where, in order. */
async function work(boot: TestServer, until: number, meanwhile: (options: PerformOptions) => Promise<void> = async () => {}): Promise<string[]> {
  const stop = new AbortController()
  const done: string[] = []
  await runWorker({
    boot: { server: boot.url, ticket: await boot.tokens.createTicket(machine, 60), bootMac: machine },
    takeInventory: async () => inventory,
    fetch: httpFetch,
    stateDirectory: state,
    log,
    signal: stop.signal,
    perform: async (options) => {
      done.push(`${options.server.url === boot.url ? 'boot' : 'other'} ${options.server.job}`)
      await meanwhile(options)
      if (done.length >= until) stop.abort()
      return { state: 'performed' }
    },
  })
  return done
}

test('B17 the worker takes the first available job of the first server that has one, in the order of the list', async () => {
  const other = await open(['x', 'y'])
  const boot = await open([], [{ url: other.url, credential: await other.tokens.create({ role: 'worker', name: machine }) }])
  expect(await work(boot, 2)).toEqual(['other x', 'other y'])
})

test('B17 a server that does not answer is passed over', async () => {
  const boot = await open(['a'], [{ url: 'http://127.0.0.1:9' }, { url: '' }])
  // The boot server is known only once it listens.
  const gone = await open(['b'])
  await boot.close()
  opened.splice(opened.indexOf(boot), 1)
  const walk = [{ url: 'http://127.0.0.1:9' }, { url: gone.url, credential: await gone.tokens.create({ role: 'worker', name: machine }) }]
  const second = await open([], walk)
  expect(await work(second, 1)).toEqual(['other b'])
})

test('B15 while the job runs the worker has a record of its claim, and the status file tells who has it', async () => {
  const boot = await open(['a'])
  const seen: unknown[] = []
  await work(boot, 1, async () => {
    seen.push(await readdir(join(state, 'claims')), (await boot.jobs.status('a')).worker)
  })
  expect(seen).toEqual([['a.json'], machine])
  expect(await readdir(join(state, 'claims'))).toEqual([])
})

test('a worker that died in the middle of a job says so when it is started again, and takes the next one', async () => {
  const boot = await open(['a', 'b'])
  // Never comes back from its job, as after a crash: what stays is the record of the claim.
  const started = Promise.withResolvers<void>()
  void work(boot, 1, () => (started.resolve(), new Promise(() => {})))
  await started.promise
  expect((await boot.jobs.status('a')).state).toBe('claimed')
  expect(await work(boot, 1)).toEqual(['boot b'])
  expect(await boot.jobs.status('a')).toMatchObject({ state: 'failed', failure: { message: expect.stringContaining('died') } })
})

test('F5 a job that another worker took between list and claim is left alone', async () => {
  const boot = await open(['a', 'b'])
  await boot.jobs.claim('a', { worker: 'other', server: 'http://x' }, 'A'.repeat(43))
  expect(await work(boot, 1)).toEqual(['boot b'])
  expect((await boot.jobs.status('a')).worker).toBe('other')
})

test('a used ticket ends the worker, because only a new boot brings a new one', async () => {
  const boot = await open(['a'])
  const ticket = await boot.tokens.createTicket(machine, 60)
  await boot.tokens.redeemTicket(ticket)
  await expect(
    runWorker({ boot: { server: boot.url, ticket, bootMac: machine }, takeInventory: async () => inventory, fetch: httpFetch, stateDirectory: state, log, perform: () => Promise.reject(new Error('no')) }),
  ).rejects.toThrow(/refuses this boot's ticket/)
})

test('F4 a job that cannot even begin fails with the reason and does not stay claimed', async () => {
  const boot = await open(['a', 'b'])
  const done = await work(boot, 2, async ({ server }) => {
    if (server.job === 'a') throw new Error('no such component')
  })
  expect(done).toEqual(['boot a', 'boot b'])
  expect(await boot.jobs.status('a')).toMatchObject({ state: 'failed', failure: { step: 'prepare', message: 'no such component' } })
})
