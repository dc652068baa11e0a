import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test, vi } from 'vitest'
import { RefusedError } from '../../../appliance/worker/answer-errors.ts'
import { connectJob, type ClaimedJob } from '../../../appliance/worker/connect-job.ts'
import { httpFetch } from '../../../appliance/worker/http-fetch.ts'
import { runWorker } from '../../../appliance/worker/worker.ts'
import type { MachineEvent } from '../../../server/api/event.ts'
import { isAttachmentTag } from '../../../server/image-store/attachment-tag.ts'
import type { ImageStore } from '../../../server/image-store/open-image-store.ts'
import { log, machine, openJobServer, type JobServer } from '../../appliance/worker/job-server.ts'
import { inventory } from '../http/job-server.ts'
import { filled, storeSample } from '../image-store/sample-image.ts'
import { openMaster, type TestMaster } from './open-master.ts'

/** A worker that booted from a first computer whose configuration names only the master. What it does in place of a job the test says. */
async function startWorker(master: TestMaster, perform: (server: ClaimedJob, signal: AbortSignal) => Promise<void>) {
  const credential = await master.tokens.create({ role: 'worker', name: 'rack' })
  const boot = await openJobServer({ others: [{ url: master.url, credential }], othersFirst: true })
  const stateDirectory = await mkdtemp(join(tmpdir(), 'ingot-worker-'))
  const stop = new AbortController()
  const begun: string[] = []
  const ended = runWorker({
    boot: { server: boot.url, ticket: await boot.ticket() },
    takeInventory: async () => inventory({ id: machine }),
    readDisks: async () => [],
    takeDown: async () => {},
    fetchBy: () => httpFetch,
    stateDirectory,
    log,
    signal: stop.signal,
    async perform({ held }) {
      begun.push(held.job)
      await Promise.race([perform(connectJob(held.server, { ...held, log }), stop.signal), new Promise((resolve) => stop.signal.addEventListener('abort', resolve))])
      return { state: 'performed' }
    },
  })
  onTestFinished(async () => {
    stop.abort()
    await ended.catch(() => {})
    await rm(stateDirectory, { recursive: true, force: true })
  })
  return { begun }
}

/** Sends a small image as a worker does, chunk by chunk and the manifest last. */
async function sendImage(server: ClaimedJob, signal: AbortSignal): Promise<void> {
  const write = async (digest: string, pieces: Iterable<Uint8Array>) => {
    if (!(await server.hasBlob('r', digest, signal))) await server.pushBlob('r', digest, Buffer.concat([...pieces]), signal)
  }
  const { bytes } = await storeSample({ registry: { blobs: () => ({ write }) } } as unknown as ImageStore, [filled(0, 1), filled(2 * 2 ** 20, 2)])
  await server.pushManifest('r', bytes, signal)
}

const endedAt = async (server: JobServer) => ((await server.ask('GET', '/performed.json')) as { jobs: { job: { id: string } }[] }).jobs.map(({ job }) => job.id)

test('B17 B20 B23 a worker that knows only the master performs the jobs of all first computers, by priority, and each gets its own image', async () => {
  const [a, b] = [await openJobServer(), await openJobServer()]
  await a.addJob({ id: 'a1' })
  await b.addJob({ id: 'b1', priority: 5 })
  await a.addJob({ id: 'a2', requires: { firmware: 'bios' }, priority: -1 })
  const master = await openMaster({ a, b })
  const plans: string[] = []
  const worker = await startWorker(master, async (server, signal) => {
    const plan = await server.plan(signal)
    plans.push(plan.recipe.name)
    let toolsBytes = 0
    for await (const piece of await server.component(plan.tools, signal)) toolsBytes += piece.length
    expect(toolsBytes).toBe(plan.tools.sizeBytes)
    await server.log(Buffer.from(`${server.job}\n`), signal)
    await sendImage(server, signal)
  })
  await vi.waitFor(() => expect(worker.begun).toHaveLength(3), 20_000)
  expect(worker.begun).toEqual(['b.b1', 'a.a1', 'a.a2'])
  await vi.waitFor(async () => expect([await endedAt(a), await endedAt(b)]).toEqual([['a1', 'a2'], ['b1']]), 10_000)
  expect(plans).toEqual(['r', 'r', 'r'])
  expect(await b.log('b1')).toBe('b.b1\n')
  // F8 what a machine fetched by way of the master is told of that machine.
  const events = (await readFile(join(b.directory, 'events.ndjson'), 'utf8')).trim().split('\n').map((line) => JSON.parse(line) as MachineEvent)
  expect(events.filter((event) => 'job' in event).map(({ hop, machine: whose }) => [hop, whose])).toEqual(['claim', 'plan', 'component', 'image', 'performed'].map((hop) => [hop, machine]))
  const performed = await master.operator('GET', '/performed.json')
  expect(performed.body.jobs.map(({ job, status }: any) => [job.id, status.job, status.imageVersion, status.worker])).toEqual([
    ['b.b1', 'b.b1', 'b.b1', machine],
    ['a.a1', 'a.a1', 'a.a1', machine],
    ['a.a2', 'a.a2', 'a.a2', machine],
  ])
  expect((await master.operator('GET', '/jobs/b.b1.json')).body).toMatchObject({ end: 'performed', job: { id: 'b.b1' }, status: { job: 'b.b1' } })

  // Pulled: by the version's own name here, by the one it has there, and by digest from whoever has it.
  const { tags } = (await master.operator('GET', '/v2/r/tags/list')).body as { tags: string[] }
  expect([tags.filter((tag) => !isAttachmentTag(tag)), tags.filter(isAttachmentTag).map((tag) => tag.slice(-4))]).toEqual([['a.a1', 'a.a2', 'b.b1'], ['.att', '.sig']])
  const manifest = await master.operator('GET', '/v2/r/manifests/b.b1')
  expect([manifest.status, (await master.operator('GET', '/v2/r/manifests/b1')).status]).toEqual([200, 200])
  const digest = manifest.body.layers[0].digest
  expect((await master.operator('HEAD', `/v2/r/blobs/${digest}`)).headers.get('content-length')).toBe(String(manifest.body.layers[0].size))
  expect((await master.operator('GET', '/v2/r/manifests/nobody')).body.errors[0].code).toBe('MANIFEST_UNKNOWN')
})

test('F5 a worker behind the master is refused once its job was cancelled at the first computer', async () => {
  const a = await openJobServer()
  await a.addJob({ id: 'x' })
  const master = await openMaster({ a })
  const refusals: number[] = []
  await startWorker(master, async (server, signal) => {
    await a.ask('POST', '/jobs/x/cancel')
    for (const act of [() => server.report({ state: 'running' }, signal), () => sendImage(server, signal)]) {
      await act().catch((error: unknown) => {
        if (!(error instanceof RefusedError)) throw error
        refusals.push(error.status)
      })
    }
  })
  await vi.waitFor(() => expect(refusals).toEqual([410, 410]), 20_000)
})

test('a first computer that restarts in the middle of an upload gets the whole image', async () => {
  const a = await openJobServer()
  await a.addJob({ id: 'x' })
  const master = await openMaster({ a })
  await startWorker(master, async (server, signal) => {
    await a.stop()
    const sent = sendImage(server, signal)
    await vi.waitFor(async () => expect((await master.operator('GET', '/jobs.json')).body.problems).toHaveLength(1))
    await a.start()
    await sent
  })
  await vi.waitFor(async () => expect(await endedAt(a)).toEqual(['x']), 25_000)
})

test('a master that restarts in the middle of a job loses nothing', async () => {
  const a = await openJobServer()
  await a.addJob({ id: 'x' })
  const master = await openMaster({ a })
  await startWorker(master, async (server, signal) => {
    await master.stop()
    await master.start()
    await sendImage(server, signal)
  })
  await vi.waitFor(async () => expect(await endedAt(a)).toEqual(['x']), 25_000)
})
