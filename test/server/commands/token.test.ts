import { Writable } from 'node:stream'
import { pino } from 'pino'
import { beforeEach, describe, expect, test } from 'vitest'
import { run, start } from '../../../appliance/run.ts'
import type { AuditEntry } from '../../../server/api/audit.ts'
import type { CreatedToken, ListedToken } from '../../../server/api/token.ts'
import { createProgram } from '../../../server/commands/create-program.ts'
import { openJobServer, type JobServer } from '../../appliance/worker/job-server.ts'
import { openMaster } from '../master/open-master.ts'

let server: JobServer
let admin: string
beforeEach(async () => {
  server = await openJobServer()
  admin = await server.tokens.create({ role: 'admin', name: 'root' })
})

/** What `ingot` prints for these arguments, asked of the server as `token` allows. */
async function printed(args: readonly string[], { url = server.url, token = admin } = {}): Promise<string> {
  const lines: string[] = []
  const context = { run, start, log: pino({ level: 'silent' }), print: (line: string) => void lines.push(line), output: new Writable(), say: () => {}, signal: new AbortController().signal, columns: undefined, exit: () => {} }
  await createProgram({ ...context, env: { INGOT_SERVER: url, INGOT_TOKEN: token } }).parseAsync([...args], { from: 'user' })
  return lines.join('\n')
}
const json = async <Answer>(args: readonly string[], where = {}): Promise<Answer> => JSON.parse(await printed([...args, '--json'], where)) as Answer
const roleOf = async (token: string, url = server.url) => (await fetch(`${url}/session`, { headers: { authorization: `Bearer ${token}` } })).status

describe.each([
  ['of a first computer', async () => ({ url: server.url, token: admin })],
  ['of a master', async () => {
    const master = await openMaster({ a: server })
    return { url: master.url, token: await master.tokens.create({ role: 'admin', name: 'root' }) }
  }],
])('the tokens %s, by way of it', (_, at) => {
  test('are made, listed and ended, and the trail tells of it', async () => {
    const where = await at()
    const made = await json<CreatedToken>(['token', 'create', '--role', 'viewer', '--name', 'wall'], where)
    expect(made).toEqual({ id: expect.stringMatching(/^[0-9a-f]{12}$/) as string, role: 'viewer', name: 'wall', credential: expect.stringMatching(/^ingot_viewer_/) as string })
    expect(await roleOf(made.credential, where.url)).toBe(200)
    const listed = await json<ListedToken[]>(['token', 'list'], where)
    expect(listed.find(({ id }) => id === made.id)).toMatchObject({ role: 'viewer', name: 'wall' })
    expect(JSON.stringify(listed)).not.toContain(made.credential)
    expect(await printed(['token', 'revoke', 'wall'], where)).toBe(`${made.id} (viewer, wall) is worth nothing any more`)
    await expect.poll(() => roleOf(made.credential, where.url)).toBe(401)
    await expect(printed(['token', 'revoke', 'wall'], where)).rejects.toThrow(/got "wall"/)
    const trail = async () => (await json<AuditEntry[]>(['audit', '--name', 'root'], where)).map(({ method, object, status }) => `${method} ${object} ${status}`)
    await expect.poll(trail).toEqual([`POST /tokens viewer wall ${made.id} 201`, `DELETE /tokens/${made.id} viewer wall 204`])
  })
})

test('only an admin looks after tokens and sees the trail, which tells who tried', async () => {
  const token = await server.tokens.create({ role: 'operator', name: 'ada' })
  for (const args of [['token', 'list'], ['token', 'create', '--role', 'admin'], ['audit']]) await expect(printed(args, { token })).rejects.toThrow(/this needs the role admin/)
  const trail = async () => (await json<AuditEntry[]>(['audit', '--refused'])).map(({ name, method, object }) => `${name} ${method} ${object}`)
  await expect.poll(trail).toEqual(['ada GET /tokens.json', 'ada POST /tokens', 'ada GET /audit.json'])
})

test('a name that is no line of text is refused by the server too', async () => {
  const answer = await fetch(`${server.url}/tokens`, { method: 'POST', headers: { authorization: `Bearer ${admin}`, 'content-type': 'application/json' }, body: JSON.stringify({ role: 'viewer', name: 'a\nb' }) })
  expect([answer.status, await answer.text()]).toEqual([400, expect.stringContaining('1 to 100 printable characters') as string])
})

test('lists come in pages, with an ETag, and a token that was just made is kept by nobody on the way', async () => {
  const ask = (path: string, init: RequestInit = {}) => fetch(`${server.url}${path}`, { ...init, headers: { authorization: `Bearer ${admin}`, 'content-type': 'application/json', ...(init.headers as Record<string, string>) } })
  for (const name of ['one', 'two', 'three']) {
    const made = await ask('/tokens', { method: 'POST', body: JSON.stringify({ role: 'viewer', name }) })
    expect([made.status, made.headers.get('cache-control')]).toEqual([201, 'no-store'])
  }
  await expect.poll(async () => ((await (await ask('/audit.json')).json()) as { entries: object[] }).entries).toHaveLength(3)
  for (const path of ['/tokens.json', '/audit.json']) {
    const whole = await ask(path)
    const etag = whole.headers.get('etag')!
    expect((await ask(path, { headers: { 'if-none-match': etag } })).status).toBe(304)
    let next: string | undefined = `${path}?limit=1`
    const items: unknown[] = []
    while (next !== undefined) {
      const page = await ask(next)
      items.push(...Object.values((await page.json()) as object)[1])
      next = /^<([^>]+)>; rel="next"$/.exec(page.headers.get('link') ?? '')?.[1]
    }
    expect(items).toEqual(Object.values((await whole.json()) as object)[1])
    expect(items.length).toBeGreaterThan(2)
  }
  expect((await ask('/audit.json?after=1-1')).status).toBe(410)
})
