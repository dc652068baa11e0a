import { once } from 'node:events'
import { createServer, request, type IncomingMessage } from 'node:http'
import { mkdtemp, rm } from 'node:fs/promises'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { openTokens } from '../../../server/tokens.ts'
import { openMaster } from './open-master.ts'

/** Stands where a first computer would, and gives each request but the master's own to the test. */
async function openBare(handle: (request: IncomingMessage, answer: (status: number, body: string) => void) => void) {
  const directory = await mkdtemp(join(tmpdir(), 'ingot-bare-'))
  const server = createServer((request, response) => {
    if (request.url === '/v2/') return void response.end('{}')
    handle(request, (status, body) => void response.writeHead(status, { 'content-type': 'application/json' }).end(body))
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(async () => {
    server.closeAllConnections()
    server.close()
    await rm(directory, { recursive: true })
  })
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, tokens: openTokens(directory) }
}

const uploadPath = `/v2/r/blobs/uploads/?digest=sha256:${'0'.repeat(64)}`

test('B23 an upload flows: its first bytes are at the first computer before the last are sent, and it breaks off there when it breaks off here', async () => {
  const [arrived, broke] = [Promise.withResolvers<string>(), Promise.withResolvers<void>()]
  const bare = await openBare((upload) => {
    upload.once('data', (bytes) => arrived.resolve(`${upload.method} ${upload.url} ${upload.headers['ingot-job']} ${upload.headers['content-length']} ${bytes}`))
    upload.once('aborted', () => broke.resolve())
    upload.on('error', () => {})
  })
  const master = await openMaster({ a: bare })
  const credential = await master.tokens.create({ role: 'worker', name: 'm' })
  const upload = request(`${master.url}${uploadPath}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${credential}`, 'ingot-job': 'a.x', 'ingot-claim': 'c', 'content-length': 1000, expect: '100-continue', 'content-type': 'application/octet-stream' },
  }).on('error', () => {})
  upload.write('first bytes')
  expect(await arrived.promise).toBe(`POST ${uploadPath} x 1000 first bytes`)
  upload.destroy()
  await broke.promise
})

test('a refusal that comes before the body was read reaches the one who sends, whose connection lives on', async () => {
  const bare = await openBare((upload, answer) => {
    upload.resume()
    answer(410, '{"errors":[{"code":"DENIED","message":"ended"}]}')
  })
  const master = await openMaster({ a: bare })
  for (let round = 0; round < 20; round++) {
    const refused = await master.worker('POST', uploadPath, { body: Buffer.alloc(16 * 2 ** 20), headers: { 'ingot-job': 'a.x', 'content-type': 'application/octet-stream' } })
    expect([refused.status, refused.body.errors[0].message]).toEqual([410, 'ended'])
  }
})

test('what the master passes on carries its own credential and way, and packages none at all', async () => {
  const seen: IncomingMessage[] = []
  const bare = await openBare((asked, answer) => {
    seen.push(asked)
    answer(200, '{}')
  })
  const master = await openMaster({ a: bare })
  await master.worker('GET', '/plans/a.x.json')
  await master.operator('POST', '/jobs/a.x/cancel')
  await master.operator('GET', '/packages/debian/dists/bookworm/InRelease')
  const [plan, cancel, packages] = seen
  const roleOf = async (asked: IncomingMessage | undefined) => (await bare.tokens.identify(asked?.headers.authorization?.replace('Bearer ', '') ?? ''))?.role
  expect([plan?.url, await roleOf(plan), plan?.headers.via]).toEqual(['/plans/x.json', 'worker', expect.stringMatching(/^1\.1 ingot-/)])
  expect([cancel?.url, await roleOf(cancel)]).toEqual(['/jobs/x/cancel', 'operator'])
  expect([packages?.url, packages?.headers.authorization]).toEqual(['/packages/debian/dists/bookworm/InRelease', undefined])
})

test('packages come from the first that has them, and a path that climbs out is refused', async () => {
  const empty = await openBare((_, answer) => answer(404, '{"title":"no"}'))
  const full = await openBare(({ url }, answer) => answer(url?.endsWith('there') === true ? 200 : 404, '{"title":"found"}'))
  const master = await openMaster({ empty, full })
  expect((await master.worker('GET', '/packages/debian/there')).body).toEqual({ title: 'found' })
  expect((await master.worker('GET', '/packages/debian/nowhere')).status).toBe(404)
  // As no client would send it: one that follows the URL standard takes the dots away itself.
  const climbing = request(master.url, { path: '/packages/debian/%2e%2e/%2e%2e/there' }).end()
  const [refused] = (await once(climbing, 'response')) as [IncomingMessage]
  refused.resume()
  expect(refused.statusCode).toBe(400)
})

test('F2 what is nowhere to be found while a first computer is away is not called missing', async () => {
  const empty = await openBare((_, answer) => answer(404, '{}'))
  const master = await openMaster({ empty, away: { url: 'http://127.0.0.1:9', tokens: empty.tokens } })
  const digest = `sha256:${'0'.repeat(64)}`
  expect((await master.operator('GET', `/components/${digest}`)).status).toBe(503)
  expect((await master.operator('HEAD', `/v2/r/blobs/${digest}`)).status).toBe(503)
})

test('what does not answer as a first computer does is a problem told, and does no harm to the others', async () => {
  const good = await openBare((_, answer) => answer(200, '{"version":1,"jobs":[]}'))
  const strange = await openBare((_, answer) => answer(200, '<html>'))
  const master = await openMaster({ good, strange })
  const list = await master.operator('GET', '/jobs.json')
  expect([list.status, list.body.problems]).toEqual([200, [expect.stringMatching(/^first computer 'strange' answered with something else than JSON/)]])
  expect((await master.operator('GET', '/status/strange.x.json')).status).toBe(502)
})

test('an answer that a worker gave up on is given up on behind the master too', async () => {
  const [asked, left] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
  const bare = await openBare((waiting, answer) => {
    if (waiting.headers.prefer === undefined) return answer(200, '{"version":1,"jobs":[],"machines":[]}')
    asked.resolve()
    waiting.socket.once('close', () => left.resolve())
  })
  const master = await openMaster({ a: bare })
  const gone = new AbortController()
  const waiting = master.worker('GET', '/jobs.json?worker=m1', { headers: { prefer: 'wait=60' }, signal: gone.signal })
  await asked.promise
  gone.abort()
  await expect(waiting).rejects.toThrow()
  await left.promise
})
