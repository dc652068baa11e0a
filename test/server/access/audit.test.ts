import { mkdtemp, readFile, rename, rm, stat, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pino } from 'pino'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { openAuditLog, wasRefused, type AuditLog } from '../../../server/audit/audit-log.ts'
import { readAudit } from '../../../server/audit/read-audit.ts'
import { createApp } from '../../../server/http/app.ts'
import { may } from '../../../server/http/auth.ts'
import { sessionRoutes } from '../../../server/http/routes/session.ts'
import { tokenAuthorize } from '../../../server/http/token-authorize.ts'
import { openTokens } from '../../../server/tokens.ts'

let directory: string
let audit: AuditLog
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'ingot-audit-'))
  audit = openAuditLog(directory)
})
afterEach(() => rm(directory, { recursive: true }))

const all = { limit: Infinity, accept: () => true }
const allEntries = async () => (await readAudit(directory, all))!.entries

test('tells who changed what, who signed in and what was refused, and not what was only looked at or done by workers', async () => {
  const tokens = openTokens(directory)
  const authorize = tokenAuthorize(tokens)
  const app = createApp({ log: pino({ level: 'silent' }), audit })
  await app.register(sessionRoutes, { tokens, authorize })
  app.get('/things', (request) => authorize(request, may.look))
  app.delete('/things/:id', (request) => authorize(request, may.change))
  app.post('/work', (request) => authorize(request, may.work))
  const ada = await tokens.create({ role: 'operator', name: 'ada' })
  const bob = await tokens.create({ role: 'viewer', name: 'bob' })
  const worker = await tokens.create({ role: 'worker', name: 'm1' })
  const ask = (method: 'GET' | 'POST' | 'DELETE', url: string, token: string) => app.inject({ method, url, headers: { authorization: `Bearer ${token}` } })

  await ask('GET', '/things', ada)
  await ask('DELETE', '/things/1?secret=x', ada)
  await ask('DELETE', '/things/2', bob)
  await ask('GET', '/things', 'unknown')
  await ask('POST', '/work', worker)
  const signedIn = await app.inject({ method: 'POST', url: '/session', payload: { token: ada } })
  await app.inject({ method: 'DELETE', url: '/things/3', headers: { cookie: `ingot-session=${signedIn.cookies[0]!.value}`, origin: 'http://localhost:80', host: 'localhost:80' } })
  await app.close()
  await audit.close()

  expect((await allEntries()).map(({ name = '-', role = '-', session = false, method, object, status }) => [name, role, session, method, object, status].join(' '))).toEqual([
    'ada operator false DELETE /things/1 200',
    'bob viewer false DELETE /things/2 403',
    '- - false GET /things 401',
    'ada operator false POST /session 201',
    'ada operator true DELETE /things/3 200',
  ])
})

test('grows to 64 MiB, and then once more', async () => {
  const [current, before] = [join(directory, 'audit.ndjson'), join(directory, 'audit.1.ndjson')]
  await writeFile(current, '')
  await truncate(current, 64 * 1024 * 1024 + 1)
  audit.write({ method: 'DELETE', object: `/${'x'.repeat(1000)}` })
  await audit.close()
  expect((await stat(before)).size).toBe(64 * 1024 * 1024 + 1)
  expect((JSON.parse(await readFile(current, 'utf8')) as { object: string }).object).toHaveLength(300)
})

test('is read in pages, over the file that was put aside and what a crash has left of a line, while more comes', async () => {
  const write = async (...objects: string[]) => {
    for (const object of objects) audit.write({ method: 'DELETE', object, ...(object === '/5' ? { status: 403 } : {}) })
    await audit.close()
  }
  const read = async (after?: string, limit = 2) => {
    const page = (await readAudit(directory, { ...all, limit, after }))!
    return { objects: page.entries.map(({ object }) => object), next: page.next }
  }
  expect(await read()).toEqual({ objects: [], next: undefined })
  await write('/1', '/2', '/3')
  await rename(join(directory, 'audit.ndjson'), join(directory, 'audit.1.ndjson'))
  await writeFile(join(directory, 'audit.ndjson'), '{"method":"DEL\n')
  await write('/4', '/5')
  const first = await read()
  expect(first.objects).toEqual(['/1', '/2'])
  const second = await read(first.next)
  expect(second.objects).toEqual(['/3', '/4'])
  await write('/6')
  expect(await read(second.next)).toEqual({ objects: ['/5', '/6'], next: undefined })
  expect((await readAudit(directory, { limit: 1, accept: wasRefused }))?.entries).toMatchObject([{ object: '/5' }])
  expect(await readAudit(directory, { ...all, after: '1-0' })).toBeUndefined()
  const [inode, offset] = first.next!.split('-')
  expect(await readAudit(directory, { ...all, after: `${inode}-${Number(offset) - 1}` })).toBeUndefined()
})
