import { createHmac } from 'node:crypto'
import { once } from 'node:events'
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { pino } from 'pino'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { parseConfig } from '../../../server/config.ts'
import { openEventLog, type EventLog } from '../../../server/event-log.ts'
import { createMetrics, type Metrics } from '../../../server/metrics/create-metrics.ts'
import { startWebhooks } from '../../../server/webhooks/start-webhooks.ts'
import { readWebhooks } from '../../../server/webhooks/webhook-config.ts'

const key = Buffer.alloc(32, 7)
const secret = `whsec_${key.toString('base64')}`
const machine = '52-54-00-00-00-01'

let directory: string
let events: EventLog
let metrics: Metrics
let receiver: Server
let url: string
let got: { headers: IncomingHttpHeaders; body: string }[]
/** What the receiver answers, one after the other, and 204 when there is no more. */
let answers: number[]
const closers: (() => Promise<void>)[] = []

const listen = async (port = 0) => {
  receiver = createServer(async (request, response) => {
    got.push({ headers: request.headers, body: await text(request) })
    response.writeHead(answers.shift() ?? 204).end()
  }).listen(port, '127.0.0.1')
  await once(receiver, 'listening')
  return (receiver.address() as AddressInfo).port
}
const stopListening = async () => {
  receiver.closeAllConnections()
  receiver.close()
  await once(receiver, 'close')
}

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'ingot-webhooks-'))
  events = openEventLog(directory)
  got = []
  answers = []
  url = `http://127.0.0.1:${await listen()}/hook?key=hidden`
})
afterEach(async () => {
  for (const close of closers.splice(0)) await close()
  if (receiver.listening) await stopListening()
  await events.close()
  await rm(directory, { recursive: true, maxRetries: 5 })
})

const retry = { firstMs: 20, capMs: 40, giveUpMs: 60_000 }
async function start({ kinds, giveUpMs = retry.giveUpMs, said }: { kinds?: string[]; giveUpMs?: number; said?: string[] } = {}) {
  await writeFile(join(directory, 'secret'), `${secret}\n`)
  const webhook = { url, secretFile: 'secret', ...(kinds === undefined ? {} : { events: kinds }) }
  const config = parseConfig(JSON.stringify({ data: 'data', listen: '127.0.0.1:8080', webhooks: [webhook] }), join(directory, 'ingot.yaml'))
  metrics = createMetrics({ log: pino({ level: 'silent' }), version: '0' })
  const log = said === undefined ? pino({ level: 'silent' }) : pino({}, { write: (line: string) => void said.push(line) })
  const webhooks = await startWebhooks({ webhooks: await readWebhooks(config.webhooks), events, dataDirectory: directory, metrics, log, retry: { ...retry, giveUpMs } })
  closers.push(() => webhooks.close())
  return webhooks
}
const filesLeft = async () => (await readdir(join(directory, 'webhooks'), { recursive: true })).filter((name) => name.endsWith('.json'))
const types = () => got.map(({ body }) => (JSON.parse(body) as { type: string }).type)

describe('a webhook', () => {
  test('is told of jobs and images, signed by its secret so that the receiver can check it', async () => {
    await start()
    events.emit({ machine, hop: 'claim', job: 'a' })
    events.emit({ machine, hop: 'plan', job: 'a' })
    events.emit({ machine, hop: 'image', job: 'a', image: 'web', version: 'a', digest: 'sha256:0', blobBytes: 5, diskBytes: 10 })
    events.emit({ machine, hop: 'proof', job: 'a', event: { kind: 'proven', loginMs: 1, checkedMs: 2 } })
    events.emit({ machine, hop: 'performed', job: 'a' })
    await vi.waitFor(() => expect(types()).toEqual(['job.claimed', 'image.received', 'image.proven', 'job.performed']), 10_000)
    const { headers, body } = got[1]!
    expect(JSON.parse(body)).toEqual({ type: 'image.received', timestamp: expect.any(String), data: { machine, job: 'a', image: 'web', version: 'a', digest: 'sha256:0', blobBytes: 5, diskBytes: 10 } })
    const { 'webhook-id': id, 'webhook-timestamp': at, 'webhook-signature': signature } = headers
    expect(id).toMatch(/^evt_[0-9a-f-]{36}$/)
    expect(Math.abs(Number(at) - Date.now() / 1000)).toBeLessThan(600)
    expect(signature).toBe(`v1,${createHmac('sha256', key).update(`${id}.${at}.${body}`).digest('base64')}`)
    await vi.waitFor(async () => expect(await filesLeft()).toEqual([]), 10_000)
  })

  test('is told again until it takes the event, as the same event', async () => {
    answers = [500, 302, 404]
    await start()
    events.emit({ machine, hop: 'performed', job: 'a' })
    await vi.waitFor(() => expect(got).toHaveLength(4), 10_000)
    expect(new Set(got.map(({ headers }) => headers['webhook-id'])).size).toBe(1)
    await vi.waitFor(async () => expect(await filesLeft()).toEqual([]), 10_000)
    const { text: told } = await metrics.render()
    expect(told).toMatch(/ingot_webhook_attempts_total\{receiver="127\.0\.0\.1:\d+",outcome="failed"\} 3\n/)
    expect(told).toMatch(/ingot_webhook_attempts_total\{receiver="127\.0\.0\.1:\d+",outcome="delivered"\} 1\n/)
  })

  test('is told what happened while it and then the server were away', async () => {
    const port = Number(new URL(url).port)
    await stopListening()
    const first = await start()
    events.emit({ machine, hop: 'claim', job: 'a' })
    events.emit({ machine, hop: 'failed', job: 'a', failure: { step: 'install', message: 'no', lastLines: [] } })
    await vi.waitFor(async () => expect((await metrics.render()).text).toMatch(/ingot_webhook_waiting\{.*\} 2\n/), 10_000)
    await first.close()
    expect(await filesLeft()).toHaveLength(2)
    await listen(port)
    await start()
    await vi.waitFor(() => expect(types().toSorted()).toEqual(['job.claimed', 'job.failed']), 10_000)
    await vi.waitFor(async () => expect(await filesLeft()).toEqual([]), 10_000)
  })

  test('is told only of what it wants', async () => {
    await start({ kinds: ['job.failed'] })
    events.emit({ machine, hop: 'claim', job: 'a' })
    events.emit({ machine, hop: 'failed', job: 'a', failure: { step: 'install', message: 'no', lastLines: [] } })
    await vi.waitFor(() => expect(types()).toEqual(['job.failed']), 10_000)
  })

  test('that never takes an event is not told of it for ever, and the log tells so without secrets', async () => {
    answers = Array.from({ length: 1000 }, () => 503)
    const said: string[] = []
    await start({ giveUpMs: 100, said })
    events.emit({ machine, hop: 'performed', job: 'a' })
    await vi.waitFor(() => expect(said.join()).toContain('"why":"the receiver answered 503","event":"job.performed"'), 10_000)
    await vi.waitFor(async () => expect(await filesLeft()).toEqual([]), 10_000)
    expect(said.join()).not.toMatch(/hidden|whsec/)
  })
})

describe('the configuration', () => {
  const parse = (webhook: object) => () => parseConfig(JSON.stringify({ data: 'd', listen: '127.0.0.1:1', webhooks: [webhook] }), join(directory, 'ingot.yaml'))

  test.each([
    [{ url: 'ftp://x', secretFile: 'secret' }, 'webhooks[0].url'],
    [{ url: 'http://x', secretFile: 'missing' }, 'webhooks[0].secretFile: expected a file, got'],
    [{ url: 'http://x', secretFile: 'secret', events: ['job.done'] }, 'webhooks[0].events[0]'],
  ])('refuses %j with the field', async (webhook, problem) => {
    await writeFile(join(directory, 'secret'), secret)
    expect(parse(webhook)).toThrow(expect.objectContaining({ code: 'config-invalid', problems: [expect.stringContaining(problem)] }))
  })

  test.each(['hunter2', `whsec_${Buffer.alloc(23).toString('base64')}`, ''])('refuses the secret %j and does not show it', async (wrong) => {
    await writeFile(join(directory, 'secret'), wrong)
    const error = await readWebhooks([{ url, secretFile: join(directory, 'secret') }]).catch((caught: Error) => caught)
    expect(error).toMatchObject({ code: 'config-invalid', message: expect.stringContaining('expected whsec_ and 24 to 64 bytes in base64') as string })
    if (wrong !== '') expect((error as Error).message).not.toContain(wrong)
    expect(await readFile(join(directory, 'secret'), 'utf8')).toBe(wrong)
  })
})
