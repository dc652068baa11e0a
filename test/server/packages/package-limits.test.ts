import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer, get as httpGet, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { FastifyInstance } from 'fastify'
import { pino } from 'pino'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createApp } from '../../../server/http/app.ts'
import { createFetchSlots } from '../../../server/packages/fetch-slots.ts'
import { packageRoutes, type PackageLimits } from '../../../server/packages/package-routes.ts'

const log = pino({ level: 'silent' })
let directory: string
let archive: Server
let asked: string[]
let answer: (path: string, response: ServerResponse) => void
let app: FastifyInstance
const portOf = (server: Server) => (server.address() as AddressInfo).port

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'ingot-packages-'))
  asked = []
  archive = createServer((request, response) => {
    asked.push(request.url!)
    answer(request.url!, response)
  })
  archive.listen(0, '127.0.0.1')
  await once(archive, 'listening')
})
afterEach(async () => {
  await app.close()
  archive.closeAllConnections()
  archive.close()
  await rm(directory, { recursive: true, maxRetries: 5 })
})

async function open(limits: Partial<PackageLimits> = {}): Promise<void> {
  app = createApp({ log })
  const mirrors = { debian: `http://127.0.0.1:${portOf(archive)}/debian`, security: `http://127.0.0.1:${portOf(archive)}/security/` }
  await app.register(packageRoutes, { mirrors, cacheDirectory: directory, limits, log })
  await app.listen({ host: '127.0.0.1', port: 0 })
}
const get = (path: string) => fetch(`http://127.0.0.1:${portOf(app.server)}/packages/debian/${path}`)

describe('is no way to anywhere else', () => {
  const refused = ['a%2f..%2f..%2fsecret', 'a/../../secret', 'a%252f..%252fsecret', 'a%5c..%5cb', 'a%3fq', 'a%23b', 'a%40b', 'a%00b', '%2fetc%2fpasswd', 'http:%2f%2felsewhere.example%2fx'].map((path) => [path, []] as const)
  // To our router several slashes are one.
  const below = [['/etc/passwd', ['/debian/etc/passwd']], ['http://elsewhere.example/x', ['/debian/http:/elsewhere.example/x']]] as const
  test.each([...refused, ...below])('by the path %s', async (path, expected) => {
    await open()
    answer = (_, response) => response.end('x')
    await new Promise<void>((resolve, reject) => {
      // As it is, which fetch would tidy up.
      httpGet({ host: '127.0.0.1', port: portOf(app.server), path: `/packages/debian/${path}` }, (response) => (response.resume(), resolve())).on('error', reject)
    })
    expect(asked).toEqual(expected)
  })

  test('by a mirror that leads there; within what is configured it may', async () => {
    await open()
    answer = (path, response) => {
      const to = { '/debian/out': 'http://127.0.0.1:1/debian/x', '/debian/near': '/other/x', '/debian/moved': '../security/pool/x', '/debian/round': '/debian/round' }[path]
      return to === undefined ? response.end('x') : response.writeHead(302, { location: to }).end()
    }
    const out = await get('out')
    expect([out.status, await out.text()]).toEqual([502, expect.stringContaining('leads to http://127.0.0.1:1/debian/x, which is below none of the configured mirrors') as string])
    expect((await get('near')).status).toBe(502)
    expect(await (await get('moved')).text()).toBe('x')
    expect(await (await get('round')).text()).toContain('more than 5 times')
  })
})

describe('takes no file that is too large', () => {
  test('by what the mirror says of it', async () => {
    await open({ fileBytes: 1000 })
    answer = (_, response) => response.end(Buffer.alloc(1001))
    const refused = await get('pool/x')
    expect([refused.status, await refused.text()]).toEqual([502, expect.stringContaining('more than 1000 bytes') as string])
  })
  test('nor by what it sends, of which nothing is kept and nothing looks whole', async () => {
    await open({ fileBytes: 100_000 })
    answer = (_, response) => {
      response.writeHead(200)
      for (let piece = 0; piece < 20; piece++) response.write(Buffer.alloc(10_000))
      response.end()
    }
    for (const attempt of [1, 2]) {
      await expect(get('pool/x').then((response) => response.arrayBuffer())).rejects.toThrow()
      expect(asked).toHaveLength(attempt)
    }
  })
})

test('keeps nothing more where space is short, and serves it all the same', async () => {
  await open({ leastFreeBytes: Number.MAX_SAFE_INTEGER })
  answer = (_, response) => response.end('x')
  for (const attempt of [1, 2]) {
    expect(await (await get('pool/x')).text()).toBe('x')
    expect(asked).toHaveLength(attempt)
  }
})

test('fetches so many files at once, and refuses one address that has too many waiting', async () => {
  await open({ atOnce: 2, ofOneClient: 2, waitingOfOne: 2 })
  const held: ServerResponse[] = []
  answer = (_, response) => void held.push(response)
  const asking = [1, 2, 3, 4].map((number) => get(`pool/${number}`))
  await expect.poll(() => held.length).toBe(2)
  // The other two wait by now, or the fifth would be one of them.
  await expect.poll(async () => (await get('pool/5')).status).toBe(429)
  expect(asked).toHaveLength(2)
  answer = (_, response) => response.end('x')
  for (const response of held) response.end('x')
  for (const response of await Promise.all(asking)) expect(await response.text()).toBe('x')
})

test('cuts off one who takes nothing, whose turn another gets', async () => {
  await open({ atOnce: 1, stallMs: 300 })
  answer = (path, response) => response.end(path.endsWith('large') ? Buffer.alloc(64 * 1024 * 1024) : 'x')
  const stuck = httpGet({ host: '127.0.0.1', port: portOf(app.server), path: '/packages/debian/pool/large' })
  const [response] = (await once(stuck, 'response')) as [IncomingMessage]
  response.pause()
  const cut = once(response, 'error')
  expect(await (await get('pool/small')).text()).toBe('x')
  response.resume()
  await cut
})

test('one address asks so often in a minute, and is told when to ask again', async () => {
  await open({ ofOneClientPerMinute: 3 })
  answer = (_, response) => response.end('x')
  const statuses = []
  for (let number = 0; number < 4; number++) statuses.push((await get('pool/x')).status)
  expect(statuses).toEqual([200, 200, 200, 429])
  expect((await get('pool/x')).headers.get('retry-after')).toMatch(/^\d+$/)
})

test('one address that asks for much keeps no other from its turn', async () => {
  const slots = createFetchSlots({ atOnce: 3, ofOneClient: 2, waitingOfOne: 10 })
  const begun: string[] = []
  const take = async (client: string) => {
    const release = await slots.take(client)
    begun.push(client)
    return release
  }
  const greedy = [1, 2, 3, 4].map(() => take('a'))
  await take('b')
  expect(begun).toEqual(['a', 'a', 'b'])
  ;(await greedy[0]!)()
  await greedy[2]
  expect(begun).toEqual(['a', 'a', 'b', 'a'])
})
