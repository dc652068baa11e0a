import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { FastifyInstance } from 'fastify'
import { pino } from 'pino'
import { createApp } from '../../../server/http/app.ts'
import { packageRoutes } from '../../../server/packages/package-routes.ts'

let directory: string
let mirror: Server
let asked: string[]
let files: Map<string, string>
let app: FastifyInstance
let mirrorUrl: string

const startMirror = async () => {
  mirror = createServer((request, response) => {
    asked.push(request.url!)
    const body = files.get(request.url!)
    if (body === undefined) return response.writeHead(404).end('no')
    const etag = `"${body.length}-${body.slice(0, 20).replaceAll(/\W/g, '')}"`
    if (request.headers['if-none-match'] === etag) return response.writeHead(304, { etag }).end()
    return response.writeHead(200, { etag, 'content-length': Buffer.byteLength(body), 'content-type': 'application/octet-stream' }).end(body)
  })
  await new Promise<void>((resolve) => mirror.listen(0, '127.0.0.1', resolve))
  mirrorUrl = `http://127.0.0.1:${(mirror.address() as AddressInfo).port}/debian`
}
const stopMirror = () => new Promise<void>((resolve) => {
  mirror.close(() => resolve())
  mirror.closeAllConnections()
})

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'ingot-packages-'))
  asked = []
  files = new Map([
    ['/debian/dists/bookworm/InRelease', 'release one'],
    ['/debian/pool/main/n/nginx/nginx_1.22.1-9+deb12u3_amd64.deb', 'package '.repeat(300_000)],
  ])
  await startMirror()
  app = createApp({ log: pino({ level: 'silent' }) })
  await app.register(packageRoutes, { mirrors: { debian: mirrorUrl }, cacheDirectory: directory, log: pino({ level: 'silent' }) })
})
afterEach(async () => {
  await app.close()
  await stopMirror()
  await rm(directory, { recursive: true })
})

const get = (path: string) => app.inject({ url: `/packages/debian/${path}` })
const deb = 'pool/main/n/nginx/nginx_1.22.1-9%2bdeb12u3_amd64.deb'

test('a package is fetched once, whole, and served again from here', async () => {
  const first = await get(deb)
  expect(first.body).toBe('package '.repeat(300_000))
  expect((await get(deb)).body).toBe(first.body)
  expect(asked).toEqual([`/debian/${decodeURIComponent(deb)}`])
})

test('an index is asked for anew each time, so that a change of the archive is seen', async () => {
  expect((await get('dists/bookworm/InRelease')).body).toBe('release one')
  files.set('/debian/dists/bookworm/InRelease', 'release number two')
  expect((await get('dists/bookworm/InRelease')).body).toBe('release number two')
})

test('F10 without the outside network, packages and indexes are what they were', async () => {
  await get(deb)
  await get('dists/bookworm/InRelease')
  await stopMirror()
  expect((await get(deb)).statusCode).toBe(200)
  expect((await get('dists/bookworm/InRelease')).body).toBe('release one')
  await startMirror()
})

test('what was never fetched and cannot be is told with its address, as a failure and not as "not found"', async () => {
  await stopMirror()
  const answer = await get('pool/main/b/bash/bash_5.2_amd64.deb')
  expect(answer.statusCode).toBe(502)
  expect(answer.json().title).toContain(`${mirrorUrl}/pool/main/b/bash/bash_5.2_amd64.deb cannot be fetched`)
  await startMirror()
})

test('what the mirror does not have is not found, now and not for ever', async () => {
  expect((await get('dists/bookworm/Later')).statusCode).toBe(404)
  files.set('/debian/dists/bookworm/Later', 'here now')
  expect((await get('dists/bookworm/Later')).body).toBe('here now')
})

test('an unknown mirror and a path that leaves the archive are refused without asking anyone', async () => {
  expect((await app.inject({ url: '/packages/ubuntu/dists/x' })).statusCode).toBe(404)
  expect((await app.inject({ url: '/packages/debian/..%2f..%2fsecret' })).statusCode).toBe(400)
  expect((await app.inject({ url: '/packages/debian/a/%2e%2e/%2e%2e/b' })).statusCode).not.toBe(200)
  expect(asked).toEqual([])
})
