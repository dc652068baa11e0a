import { hash, randomBytes } from 'node:crypto'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { OutageError, RefusedError } from '../../../appliance/worker/answer-errors.ts'
import { connectJob } from '../../../appliance/worker/connect-job.ts'
import { connectServer } from '../../../appliance/worker/connect-server.ts'
import { httpFetch } from '../../../appliance/worker/http-fetch.ts'
import type { ComponentRef } from '../../../images/component.ts'
import { startReporter } from '../../../appliance/worker/reporter.ts'
import { mediaTypes } from '../../../server/api/media-types.ts'
import type { MachineEvent } from '../../../server/api/event.ts'
import { openGate } from './gate.ts'
import { log, machine, openJobServer, until, type JobServer } from './job-server.ts'
import { sampleUpload } from './sample-upload.ts'

const { signal } = new AbortController()
const digestOf = (bytes: Uint8Array) => `sha256:${hash('sha256', bytes)}`
const claim = randomBytes(32).toString('base64url')

/** Holds the job `a` of a server by way of a gate; its script names the component, if there is one. */
async function hold(server: JobServer, component?: ComponentRef) {
  const gate = await openGate(server.url)
  const connection = connectServer({ url: gate.url, credential: await server.tokens.create({ role: 'worker', name: machine }), fetch: httpFetch })
  await server.addJob({ id: 'a' }, [...(component === undefined ? [] : [{ kind: 'install-rootfs' as const, component }]), { kind: 'image', image: 'r' }])
  await until(async () => (await connection.offers({ worker: machine, signal })).length === 1)
  const { imageVersion } = await connection.claim('a', { worker: machine }, claim, signal)
  return { gate, job: connectJob(connection, { job: 'a', claim, imageVersion, log }) }
}

const componentEvents = async ({ directory }: JobServer) =>
  (await readFile(join(directory, 'events.ndjson'), 'utf8'))
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as MachineEvent)
    .filter((event) => event.hop === 'component')

test('F9 a component whose download is cut comes whole, and what had come is not sent again', async () => {
  const server = await openJobServer()
  const bytes = randomBytes(32 * 1024 * 1024)
  const ref = await server.components.add('base', [bytes])
  const { gate, job } = await hold(server, ref)
  const pieces: Uint8Array[] = []
  let doneBytes = 0
  let cuts = 0
  for await (const piece of await job.component(ref, signal)) {
    pieces.push(piece)
    doneBytes += piece.byteLength
    if (doneBytes > (cuts + 1) * 10 * 1024 * 1024) {
      cuts++
      gate.cut()
    }
  }
  expect(cuts).toBe(3)
  expect(Buffer.concat(pieces).equals(bytes)).toBe(true)
  // The last answer was the rest only.
  await until(async () => (await componentEvents(server)).some((event) => event.bytes < 4 * 1024 * 1024))
})

test('F9 the server sends a component in ranges, and refuses one that is not there', async () => {
  const server = await openJobServer()
  const ref = await server.components.add('base', [Buffer.from('0123456789')])
  await hold(server, ref)
  const headers = { authorization: `Bearer ${await server.tokens.create({ role: 'worker', name: machine })}`, 'ingot-job': 'a', 'ingot-claim': claim }
  const get = (range: string) => fetch(`${server.url}/components/${ref.digest}`, { headers: { ...headers, range } })
  const rest = await get('bytes=4-')
  expect([rest.status, rest.headers.get('content-range'), await rest.text()]).toEqual([206, 'bytes 4-9/10', '456789'])
  expect((await get('bytes=10-')).status).toBe(416)
})

test('a component that is not what its reference says fails', async () => {
  const server = await openJobServer()
  const ref = await server.components.add('base', [Buffer.from('right')])
  const { job } = await hold(server, ref)
  const read = async (wanted: typeof ref) => {
    for await (const _ of await job.component(wanted, signal));
  }
  await expect(read({ ...ref, sizeBytes: 3 })).rejects.toThrow('expected 3 bytes, got 5')
  await expect(read({ ...ref, sizeBytes: 9 })).rejects.toThrow(RefusedError)
  await writeFile(server.components.path(ref.digest), 'wrong')
  await expect(read(ref)).rejects.toThrow(`expected ${ref.digest}, got ${digestOf(Buffer.from('wrong'))}`)
})

test('a blob is delivered when the server is back', async () => {
  const server = await openJobServer()
  const { job } = await hold(server)
  const blob = randomBytes(1000)
  await server.stop()
  const pushed = job.pushBlob('r', digestOf(blob), blob, signal)
  await expect(job.report({}, signal)).rejects.toThrow(OutageError)
  await server.start()
  await pushed
  expect(await job.hasBlob('r', digestOf(blob), signal)).toBe(true)
})

test('F9 a blob and a manifest are read again when the connection breaks off, and a missing one is refused at once', async () => {
  const server = await openJobServer()
  const { gate, job } = await hold(server)
  const { bytes, blobs } = sampleUpload()
  for (const blob of blobs) await job.pushBlob('r', digestOf(blob), blob, signal)
  const authorization = `Bearer ${await server.tokens.create({ role: 'operator', name: 'ci' })}`
  const published = await fetch(`${server.url}/v2/r/manifests/base`, { method: 'PUT', headers: { authorization, 'content-type': mediaTypes.manifest }, body: new Uint8Array(bytes) })
  expect(published.status).toBe(201)
  gate.loseAnswers()
  const read = Promise.all([...blobs.map((blob) => job.readBlob('r', digestOf(blob), signal)), job.readManifest('r', digestOf(bytes), signal)])
  await expect(job.report({}, signal)).rejects.toThrow(OutageError)
  gate.open()
  expect((await read).map(digestOf)).toEqual([...blobs, bytes].map(digestOf))
  await expect(job.readBlob('r', digestOf(Buffer.from('missing')), signal)).rejects.toMatchObject({ status: 404 })
})

test('F5 an upload that waits for the server ends when the claim turns out to have ended', async () => {
  const server = await openJobServer()
  const { gate, job } = await hold(server)
  gate.close()
  const blob = randomBytes(1000)
  const pushed = job.pushBlob('r', digestOf(blob), blob, signal)
  await expect(job.report({}, signal)).rejects.toThrow(OutageError)
  await server.ask('POST', '/jobs/a/cancel')
  gate.open()
  await expect(pushed).rejects.toMatchObject({ status: 410 })
})

test('an upload that waits for the server ends with its signal', async () => {
  const server = await openJobServer()
  const { gate, job } = await hold(server)
  gate.close()
  const stop = new AbortController()
  const pushed = job.pushBlob('r', digestOf(Buffer.from('x')), Buffer.from('x'), stop.signal)
  stop.abort(new Error('the time is over'))
  await expect(pushed).rejects.toThrow('the time is over')
})

test('a line of the log whose answer was lost is not told twice', async () => {
  const server = await openJobServer()
  const { gate, job } = await hold(server)
  const stop = new AbortController()
  const reporter = startReporter({ server: job, log, onRefused: (reason) => stop.abort(reason), signal: stop.signal })
  reporter.line('one')
  await reporter.flush()
  gate.loseAnswers()
  reporter.line('two')
  const flushed = reporter.flush()
  await until(async () => (await server.log('a')).includes('two'))
  reporter.line('three')
  gate.open()
  await flushed
  reporter.line('four')
  await reporter.flush()
  reporter.stop()
  expect(await server.log('a')).toBe('one\ntwo\nthree\nfour\n')
})

test('a manifest whose answer was lost is published once', async () => {
  const server = await openJobServer()
  const { gate, job } = await hold(server)
  const { bytes, blobs } = sampleUpload()
  for (const blob of blobs) await job.pushBlob('r', digestOf(blob), blob, signal)
  gate.loseAnswers()
  const pushed = job.pushManifest('r', bytes, signal)
  await until(async () => (await server.ask('GET', '/v2/r/tags/list')) !== 404)
  gate.open()
  expect(await pushed).toMatchObject({ digest: digestOf(bytes) })
})
