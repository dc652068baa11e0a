import { access, mkdtemp, readdir, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { httpFetch, type HttpInit } from '../../../appliance/worker/http-fetch.ts'
import type { PerformOptions } from '../../../appliance/worker/perform-job.ts'
import { runWorker } from '../../../appliance/worker/worker.ts'
import type { Inventory } from '../../../server/api/machine.ts'
import { openGate } from './gate.ts'
import { log, machine, openJobServer, until, type JobServer } from './job-server.ts'

const inventory: Inventory = {
  id: machine, uuid: '', firmware: 'bios', secureBoot: false, architecture: 'amd64', manufacturer: '', model: '', serial: '',
  cpu: { model: 'x', cores: 1 }, memoryBytes: 2 ** 30, disks: [], nics: [], workerVersion: 'test',
}

interface TestWorker {
  /** The jobs it began, as `<server> <job>`, in order. */
  begun: string[]
  ended: ReturnType<typeof runWorker>
  stop(): Promise<void>
  stateDirectory: string
  inventoriesTaken: number
  /** The requests that asked a server to wait, by address. */
  waits: string[]
}

interface TestWorkerOptions {
  perform?: (options: PerformOptions) => Promise<void>
  stateDirectory?: string
  /** Called before each request. */
  onRequest?: (url: string, init: HttpInit) => void
}

/** A worker that does in place of a job what the test says; by default it tells the server that the job failed. */
async function startWorker(boot: JobServer, { perform = failJob, stateDirectory, onRequest = () => {} }: TestWorkerOptions = {}): Promise<TestWorker> {
  const state = stateDirectory ?? (await mkdtemp(join(tmpdir(), 'ingot-worker-')))
  const stop = new AbortController()
  const worker: TestWorker = {
    begun: [],
    inventoriesTaken: 0,
    waits: [],
    stateDirectory: state,
    ended: runWorker({
      boot: { server: boot.url, ticket: await boot.ticket() },
      takeInventory: async () => {
        worker.inventoriesTaken++
        return inventory
      },
      readDisks: async () => inventory.disks,
      takeDown: async () => {},
      fetchBy: () => (url, init = {}) => {
        onRequest(url, init)
        if (init.headers?.prefer === 'wait=25') worker.waits.push(new URL(url).origin)
        return httpFetch(url, init)
      },
      stateDirectory: state,
      log,
      signal: stop.signal,
      async perform(options) {
        worker.begun.push(`${options.held.server.url} ${options.held.job}`)
        await Promise.race([perform(options), new Promise((resolve) => stop.signal.addEventListener('abort', resolve))])
        return { state: 'performed' }
      },
    }),
    async stop() {
      stop.abort()
      await worker.ended
    },
  }
  onTestFinished(async () => {
    await worker.stop().catch(() => {})
    await rm(state, { recursive: true, force: true })
  })
  return worker
}

const { signal } = new AbortController()
async function failJob({ held: { server, job, claim } }: PerformOptions): Promise<void> {
  const body = JSON.stringify({ state: 'failed', failure: { step: 'test', message: 'as wanted', lastLines: [] } })
  await server.ask(`/status/${job}.json`, { method: 'PUT', body, headers: { 'content-type': 'application/json', 'if-match': '*', 'ingot-claim': claim }, signal }, async () => {})
}

/** An address of this host on which nobody listens. */
async function nowhere(): Promise<string> {
  const socket = createServer()
  await new Promise<void>((resolve) => socket.listen(0, '127.0.0.1', resolve))
  const { port } = socket.address() as { port: number }
  await new Promise((resolve) => socket.close(resolve))
  return `http://127.0.0.1:${port}`
}

const workerAt = async (server: JobServer) => ({ url: server.url, credential: await server.tokens.create({ role: 'worker', name: machine }) })

test('B17 the worker takes the first available job of the first server that has one, in the order of the list, and the next at once', async () => {
  const second = await openJobServer()
  await second.addJob({ id: 'x' })
  await second.addJob({ id: 'y' })
  const boot = await openJobServer({ others: [await workerAt(second)] })
  await boot.addJob({ id: 'a' })
  const worker = await startWorker(boot)
  await until(() => worker.begun.length === 3)
  expect(worker.begun).toEqual([`${boot.url} a`, `${second.url} x`, `${second.url} y`])
})

test('B17 of three servers the first is down: it is passed over, and found again when it is there', async () => {
  const first = await openJobServer()
  const credentials = await workerAt(first)
  await first.addJob({ id: 'late' })
  await first.stop()
  const third = await openJobServer()
  await third.addJob({ id: 'third' })
  const boot = await openJobServer({ others: [credentials, { url: await nowhere() }, await workerAt(third)], othersFirst: true })
  const worker = await startWorker(boot)
  await until(() => worker.begun.length === 1)
  expect(worker.begun).toEqual([`${third.url} third`])
  await first.start()
  await until(() => worker.begun.length === 2)
  expect(worker.begun[1]).toBe(`${first.url} late`)
})

test('B17 a waiting worker hears of a new job at any of the servers without asking again', async () => {
  const second = await openJobServer()
  const boot = await openJobServer({ others: [await workerAt(second)] })
  const worker = await startWorker(boot)
  await until(() => worker.waits.length === 2)
  // Time enough to ask again, for one that would.
  await new Promise((resolve) => setTimeout(resolve, 2500))
  expect(worker.waits.toSorted()).toEqual([boot.url, second.url].toSorted())
  await second.addJob({ id: 'new' })
  await until(() => worker.begun.length === 1)
  expect(worker.begun).toEqual([`${second.url} new`])
}, 15_000)

test('a job that asks something of the machine is taken by a worker that the server knew nothing of', async () => {
  const boot = await openJobServer()
  await boot.addJob({ id: 'large', requires: { memoryMiB: 2048 } })
  await boot.addJob({ id: 'small', requires: { memoryMiB: 512 } })
  const worker = await startWorker(boot)
  await until(() => worker.begun.length === 1)
  expect(worker.begun).toEqual([`${boot.url} small`])
})

test('a server that comes back and has forgotten the machine is told of it again', async () => {
  const boot = await openJobServer()
  const worker = await startWorker(boot)
  const file = join(boot.directory, 'machines', `${machine}.json`)
  await until(() => access(file).then(() => true, () => false))
  await boot.stop()
  await rm(file)
  await boot.addJob({ id: 'small', requires: { memoryMiB: 512 } })
  await boot.start()
  await until(() => worker.begun.length === 1)
  expect(worker.begun).toEqual([`${boot.url} small`])
})

test('a job that asks nothing of the machine is claimed before the machine is looked over', async () => {
  const boot = await openJobServer()
  await boot.addJob({ id: 'a' })
  let takenBefore: number | undefined
  const worker: TestWorker = await startWorker(boot, { perform: async () => void (takenBefore ??= worker.inventoriesTaken) })
  await until(() => takenBefore !== undefined)
  expect(takenBefore).toBe(0)
})

test('B18 a job that is assigned to the machine comes before all else, one assigned to another never', async () => {
  const boot = await openJobServer()
  await boot.addJob({ id: 'theirs', assignedTo: '52-54-00-00-00-99' })
  await boot.addJob({ id: 'anybody', priority: 5 })
  await boot.addJob({ id: 'mine', assignedTo: machine })
  const worker = await startWorker(boot)
  await until(() => worker.begun.length === 2)
  expect(worker.begun).toEqual([`${boot.url} mine`, `${boot.url} anybody`])
  expect(await boot.ask('GET', '/status/theirs.json')).toBe(404)
})

test('B15 while the job runs the worker has a record of its claim, and the status file tells who has it', async () => {
  const boot = await openJobServer()
  await boot.addJob({ id: 'a' })
  const goOn = Promise.withResolvers<void>()
  const worker = await startWorker(boot, { perform: async (options) => goOn.promise.then(() => failJob(options)) })
  const records = join(worker.stateDirectory, 'claims')
  await until(() => worker.begun.length === 1)
  expect(await readdir(records)).toEqual([expect.stringMatching(/^a\.[0-9a-f]{8}\.json$/)])
  expect((await boot.status('a')).worker).toBe(machine)
  goOn.resolve()
  await until(async () => (await readdir(records)).length === 0)
})

test('B15 a worker that was started anew gives back what it held, also when the server is away at first, and an old record hides no job', async () => {
  const held = await openJobServer()
  await held.addJob({ id: 'a' })
  const boot = await openJobServer({ others: [await workerAt(held)] })
  // Never comes back from its job, as after a crash: what stays is the record of the claim.
  const died = await startWorker(boot, { perform: () => new Promise(() => {}) })
  await until(() => died.begun.length === 1)
  await held.stop()
  const claims = join(died.stateDirectory, 'claims')
  const [record] = await readdir(claims)

  // A job of the same name, at another server.
  await boot.addJob({ id: 'a' })
  const again = await startWorker(boot, { stateDirectory: died.stateDirectory })
  await until(() => again.begun.length === 1)
  expect(again.begun).toEqual([`${boot.url} a`])
  await until(async () => (await readdir(claims)).length === 1)
  expect(await readdir(claims)).toEqual([record])
  await held.start()
  await until(() => again.begun.length === 2)
  expect(again.begun[1]).toBe(`${held.url} a`)
  await until(async () => (await readdir(claims)).length === 0)
  const { attempts } = (await held.ask('GET', '/jobs/a.json')) as { attempts: { loss: string }[] }
  expect(attempts).toMatchObject([{ loss: 'given-back' }])
})

test('B15 a claim of which nobody knows whether it was made is given back, and the job is taken', async () => {
  const server = await openJobServer()
  await server.addJob({ id: 'a' })
  const gate = await openGate(server.url)
  const boot = await openJobServer({ others: [{ ...(await workerAt(server)), url: gate.url }] })
  let claims = 0
  let givenBack = 0
  const onRequest = (url: string, { method, headers }: HttpInit) => {
    if (!url.startsWith(gate.url)) return
    if (headers?.['if-none-match'] === '*' && ++claims === 1) gate.loseAnswers()
    // The first try meets the network as it was, the second finds it well.
    if (method === 'DELETE' && ++givenBack === 2) gate.open()
  }
  const worker = await startWorker(boot, { onRequest })
  await until(() => worker.begun.length === 1)
  expect(worker.begun).toEqual([`${gate.url} a`])
  // It asked once more with the same token before it gave up.
  expect(claims).toBe(3)
  const { attempts } = (await server.ask('GET', '/jobs/a.json')) as { attempts: { loss: string }[] }
  expect(attempts).toMatchObject([{ loss: 'given-back' }])
})

test('F5 a job that another worker took is left alone', async () => {
  const boot = await openJobServer()
  await boot.addJob({ id: 'a' })
  const { credential } = await workerAt(boot)
  const headers = { authorization: `Bearer ${credential}`, 'content-type': 'application/json', 'if-none-match': '*' }
  expect((await fetch(`${boot.url}/status/a.json`, { method: 'PUT', headers, body: '{"worker":"other"}' })).status).toBe(201)
  await boot.addJob({ id: 'b' })
  const worker = await startWorker(boot)
  await until(() => worker.begun.length === 1)
  expect(worker.begun).toEqual([`${boot.url} b`])
  expect((await boot.status('a')).worker).toBe('other')
})

test('B8 of three workers on one list each job is begun by one', async () => {
  const boot = await openJobServer()
  for (let number = 0; number < 20; number++) await boot.addJob({ id: `job-${number}` })
  const workers = await Promise.all(['01', '02', '03'].map((end) => startWorker({ ...boot, url: boot.url, ticket: () => boot.ticket(`52-54-00-00-00-${end}`) })))
  const begun = () => workers.flatMap((worker) => worker.begun)
  await until(() => begun().length >= 20)
  expect(new Set(begun()).size).toBe(20)
  expect(begun()).toHaveLength(20)
})

test('a used ticket ends the worker, because only a new boot brings a new one', async () => {
  const boot = await openJobServer()
  const worker = await startWorker({ ...boot, url: boot.url, ticket: async () => 'used' })
  await expect(worker.ended).rejects.toThrow(/refuses this boot's ticket/)
})
