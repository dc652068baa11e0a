import { once } from 'node:events'
import { createServer } from 'node:http'
import { connect, type AddressInfo, type Socket } from 'node:net'
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Writable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { pino } from 'pino'
import { afterAll, describe, expect, test } from 'vitest'
import { run, start } from '../../../appliance/run.ts'
import { parseConfig } from '../../../server/config.ts'
import { startFirstComputer } from '../../../server/first-computer.ts'
import { limitConnections } from '../../../server/http/limit-connections.ts'
import { openTokens } from '../../../server/tokens.ts'

const home = await mkdtemp(join(tmpdir(), 'ingot-hostile-'))
const data = join(home, 'data')
const logged: string[] = []
const log = pino({ level: 'trace' }, new Writable({ write: (line, _, done) => (logged.push(String(line)), done()) }))
const config = parseConfig(JSON.stringify({ data, listen: '127.0.0.1:0', admit: 'all' }), join(home, 'ingot.yaml'), {})
const server = await startFirstComputer({ config, log, run, start })
const tokens = openTokens(data)
const admin = (await readFile(join(data, 'admin-token'), 'utf8')).trim()
await writeFile(join(home, 'outside'), 'the-secret-of-the-host')
afterAll(async () => {
  await server.close()
  await rm(home, { recursive: true })
})

/** Sends bytes as they are, which no HTTP client would, and returns all that comes back. */
async function raw(request: string): Promise<string> {
  const socket = connect(Number(new URL(server.url).port), '127.0.0.1')
  await once(socket, 'connect')
  // Not ended: a server takes that for one who does not wait for an answer.
  socket.write(request)
  return text(socket)
}
const ask = (target: string, { method = 'GET', headers = [] as string[], body = '' } = {}) =>
  raw([`${method} ${target} HTTP/1.1`, 'Host: ingot', `Authorization: Bearer ${admin}`, 'Connection: close', ...headers, '', body].join('\r\n'))
const headOf = (answer: string) => answer.slice(0, answer.indexOf('\r\n\r\n'))
const lines = () => logged.join('').trimEnd().split('\n')

describe('a path that leads elsewhere', () => {
  const ups = ['../', '..%2f', '%2e%2e/', '%2e%2e%2f', '..\\', '..%5c', '....//', '%252e%252e%252f']
  const roots = ['/', '/components/', '/packages/debian/', '/boot/', '/logs/', '/plans/', '/status/', '/jobs/', '/machines/', '/images/x/1/', '/v2/', '/v2/x/blobs/uploads/', '/v2/x/manifests/', '/schemas/', '/console/', '/api/']
  const targets = ['admin-token', 'outside', 'etc/passwd']

  test.each(roots)('below %s gives nothing of the host, even to an admin', async (root) => {
    for (const up of ups) {
      for (const target of targets) {
        const answer = await ask(`${root}${up.repeat(6)}${target}`)
        expect([root, up, answer.includes(admin), answer.includes('the-secret-of-the-host'), answer.includes('root:x:0')]).toEqual([root, up, false, false, false])
        expect(Number(answer.split(' ')[1])).toBeGreaterThanOrEqual(400)
        expect(Number(answer.split(' ')[1])).toBeLessThan(500)
      }
    }
  })

  test('makes no file outside of the data directory', async () => {
    const before = (await readdir(home)).toSorted()
    const json = ['Content-Type: application/json', 'Content-Length: 2']
    for (const target of ['/machines/..%2f..%2fx/labels', '/status/..%2f..%2fx.json', '/machines/..%2f..%2fx.json']) await ask(target, { method: 'PUT', headers: json, body: '{}' })
    for (const target of ['/machines/..%2fx/admit', '/logs/..%2f..%2fx.log', '/v2/..%2fx/blobs/uploads/']) await ask(target, { method: 'POST' })
    expect((await readdir(home)).toSorted()).toEqual(before)
  })
})

describe('a line that ends early', () => {
  test.each(['/jobs/a%0d%0aSet-Cookie:%20x=1.json', '/images/a%0d%0aSet-Cookie:%20x=1/latest/disk.raw', '/v2/a%0d%0aSet-Cookie:%20x=1/blobs/uploads/', '/nothing%0d%0aSet-Cookie:%20x=1'])(
    'in %s adds no header to the answer',
    async (target) => {
      for (const method of ['GET', 'POST']) expect(headOf(await ask(target, { method }))).not.toMatch(/^set-cookie/im)
    },
  )

  test('in the host that is asked adds none either, nor a request that is read in two ways', async () => {
    expect(headOf(await raw(`GET /jobs.json HTTP/1.1\r\nHost: a\rSet-Cookie: x=1\r\nConnection: close\r\n\r\n`))).toMatch(/^HTTP\/1\.1 400/)
    const smuggled = `POST /session HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n0\r\n\r\nGET /jobs.json HTTP/1.1\r\n\r\n`
    expect(headOf(await raw(smuggled))).toMatch(/^HTTP\/1\.1 400/)
  })

  test('makes no line of its own in the log or the audit trail', async () => {
    const forged = '{"level":30,"msg":"forged"}'
    await ask(`/jobs/x%0a${encodeURIComponent(forged)}`, { method: 'DELETE' })
    await ask('/jobs/none/retry', { method: 'POST', headers: [`Ingot-Job: ${forged}`, `User-Agent: ${forged}`] })
    await fetch(`${server.url}/session`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ token: `x\n${forged}\n` }) })
    for (const line of lines()) expect((JSON.parse(line) as { msg?: string }).msg).not.toBe('forged')
    await expect.poll(async () => (await readFile(join(data, 'audit.ndjson'), 'utf8')).includes('/jobs/x'), { timeout: 20_000 }).toBe(true)
    for (const line of (await readFile(join(data, 'audit.ndjson'), 'utf8')).trimEnd().split('\n')) expect(JSON.parse(line)).toHaveProperty('method')
  })
})

describe('what is too large', () => {
  test('a header is refused before it is kept', async () => {
    expect(headOf(await ask('/jobs.json', { headers: [`X-Long: ${'x'.repeat(17 * 1024)}`] }))).toMatch(/^HTTP\/1\.1 431/)
  })
  test('a body is refused by the length that it tells', async () => {
    const answer = await raw(`POST /jobs HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer ${admin}\r\nContent-Type: application/json\r\nContent-Length: 99999999\r\nConnection: close\r\n\r\n`)
    expect(headOf(answer)).toMatch(/^HTTP\/1\.1 413/)
  })
  test.each([
    ['the id of a job', '/jobs', { id: 'a'.repeat(101), recipe: 'debian-12' }],
    ['the token that signs in', '/session', { token: 'x'.repeat(201) }],
    ['a ticket', '/credentials', { ticket: 'x'.repeat(201) }],
  ])('%s is refused by its length', async (_, path, body) => {
    const answer = await fetch(`${server.url}${path}`, { method: 'POST', headers: { authorization: `Bearer ${admin}`, 'content-type': 'application/json' }, body: JSON.stringify(body) })
    expect(answer.status).toBe(400)
  })
})

test('one address signs in sixty times a minute and no more, and is told when to ask again; workers are not counted', async () => {
  const signIn = () => fetch(`${server.url}/session`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{"token":"guess"}' })
  const answers = await Promise.all(Array.from({ length: 70 }, signIn))
  const refused = answers.filter(({ status }) => status === 429)
  expect(refused.length).toBeGreaterThanOrEqual(10)
  expect(Number(refused[0]!.headers.get('retry-after'))).toBeGreaterThan(0)
  const worker = { authorization: `Bearer ${await tokens.create({ role: 'worker', name: 'rack' })}` }
  const asked = await Promise.all(Array.from({ length: 300 }, () => fetch(`${server.url}/jobs.json?worker=rack&limit=1`, { headers: worker })))
  expect(new Set(asked.map(({ status }) => status))).toEqual(new Set([200]))
})

test('no secret stands in the log or below the data directory, and a ticket that was exchanged is worth nothing', async () => {
  const mac = '52-54-00-00-00-07'
  const ticket = await tokens.createTicket(mac, 60)
  const exchange = () => fetch(`${server.url}/credentials`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ ticket }) })
  const { credential } = (await (await exchange()).json()) as { credential: string }
  const viewer = await tokens.create({ role: 'viewer', name: 'ada' })
  for (const token of [credential, viewer]) await fetch(`${server.url}/machines.json`, { headers: { authorization: `Bearer ${token}` } })
  // What stood on the kernel's command line opens nothing any more, by any road.
  expect((await exchange()).status).toBe(401)
  expect((await fetch(`${server.url}/jobs.json`, { headers: { authorization: `Bearer ${ticket}` } })).status).toBe(401)

  const files = (await readdir(data, { recursive: true, withFileTypes: true })).filter((each) => each.isFile() && each.name !== 'admin-token')
  const kept = await Promise.all(files.map(({ parentPath, name }) => readFile(join(parentPath, name), 'latin1')))
  for (const secret of [ticket, credential, viewer, admin]) {
    expect(lines().some((line) => line.includes(secret))).toBe(false)
    expect(kept.some((content) => content.includes(secret))).toBe(false)
  }
})

test('one address cannot take all connections: those beyond its share are closed, and others are let in when one leaves', async () => {
  const listening = createServer((_, response) => response.end('hello')).listen(0, '127.0.0.1')
  limitConnections(listening, { most: 100, mostOfOne: 3 })
  await once(listening, 'listening')
  const { port } = listening.address() as AddressInfo
  const open = async () => {
    const socket = connect(port, '127.0.0.1').on('error', () => {})
    await once(socket, 'connect')
    return socket
  }
  const isServed = async (socket: Socket) => {
    socket.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n')
    const [first] = (await Promise.race([once(socket, 'data'), once(socket, 'close')])) as [Buffer | boolean]
    return Buffer.isBuffer(first)
  }
  const sockets = [await open(), await open(), await open()]
  expect(await Promise.all(sockets.map(isServed))).toEqual([true, true, true])
  expect(await isServed(await open())).toBe(false)
  sockets[0]!.destroy()
  await expect.poll(async () => isServed(await open()), { timeout: 20_000 }).toBe(true)
  listening.closeAllConnections()
  listening.close()
})
