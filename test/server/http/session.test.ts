import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { FastifyInstance } from 'fastify'
import { pino } from 'pino'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createApp } from '../../../server/http/app.ts'
import { may } from '../../../server/http/auth.ts'
import { sessionRoutes } from '../../../server/http/routes/session.ts'
import { securePages } from '../../../server/http/secure-pages.ts'
import { tokenAuthorize } from '../../../server/http/token-authorize.ts'
import { openTokens, type Tokens } from '../../../server/tokens.ts'

let directory: string
let nowMs: number
let tokens: Tokens
let app: FastifyInstance
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'ingot-session-'))
  nowMs = Date.parse('2026-11-23T12:00:00Z')
  tokens = openTokens(directory, () => nowMs)
  app = createApp({ log: pino({ level: 'silent' }) })
  const authorize = tokenAuthorize(tokens)
  await app.register(sessionRoutes, { tokens, authorize })
  app.get('/thing', async (request) => authorize(request, may.look))
  app.post('/thing', async (request) => authorize(request, may.change))
  app.addContentTypeParser('text/plain', { parseAs: 'string' }, (_request, body, done) => done(null, body))
})
afterEach(async () => {
  await app.close()
  await rm(directory, { recursive: true })
})

const host = 'ingot.example:8080'
const ownOrigin = { host, origin: `http://${host}` }
const signIn = (token: string, headers: Record<string, string> = ownOrigin) => app.inject({ method: 'POST', url: '/session', payload: { token }, headers: { host, ...headers } })
const operatorCookie = async () => {
  const { cookies } = await signIn(await tokens.create({ role: 'operator', name: 'ada' }))
  return `${cookies[0]!.name}=${cookies[0]!.value}`
}

describe('signing in', () => {
  test('exchanges a token for a cookie that no script reads and no other site sends', async () => {
    const answer = await signIn(await tokens.create({ role: 'operator', name: 'ada' }))
    expect(answer.statusCode).toBe(201)
    expect(answer.json()).toEqual({ role: 'operator', name: 'ada', expiresAt: '2026-11-24T00:00:00.000Z' })
    expect(answer.cookies).toMatchObject([{ name: 'ingot-session', httpOnly: true, sameSite: 'Strict', path: '/', maxAge: 43_200 }])
    expect(answer.cookies[0]).not.toHaveProperty('secure')
  })

  test('the cookie tells who is signed in, and signing out ends it', async () => {
    const cookie = await operatorCookie()
    expect((await app.inject({ url: '/session', headers: { cookie } })).json()).toMatchObject({ role: 'operator', name: 'ada' })
    const out = await app.inject({ method: 'DELETE', url: '/session', headers: { cookie, ...ownOrigin } })
    expect(out.statusCode).toBe(204)
    expect(out.cookies).toMatchObject([{ name: 'ingot-session', value: '' }])
    expect((await app.inject({ url: '/session', headers: { cookie } })).statusCode).toBe(401)
  })

  test.each(['ingot_operator_none', 'x'])('an unknown token signs nobody in: %s', async (token) => {
    const answer = await signIn(token)
    expect(answer.statusCode).toBe(401)
    expect(answer.cookies).toEqual([])
  })

  test('the token of a worker signs nobody in', async () => {
    expect((await signIn(await tokens.create({ role: 'worker', name: 'm1' }))).statusCode).toBe(403)
  })

  test('the data directory does not hold the secret of a session', async () => {
    const cookie = await operatorCookie()
    const secret = cookie.split('=')[1]!
    const files = (await readdir(directory, { recursive: true, withFileTypes: true })).filter((each) => each.isFile())
    expect(files.length).toBeGreaterThan(1)
    for (const { parentPath, name } of files) expect(`${name} ${await readFile(join(parentPath, name), 'utf8')}`).not.toContain(secret)
  })
})

describe('a session ends', () => {
  const isIn = async (cookie: string) => (await app.inject({ url: '/thing', headers: { cookie } })).statusCode === 200

  test('after twelve hours', async () => {
    const cookie = await operatorCookie()
    nowMs += 12 * 3600_000 - 1
    expect(await isIn(cookie)).toBe(true)
    nowMs += 1
    expect(await isIn(cookie)).toBe(false)
  })

  test('with its token', async () => {
    const cookie = await operatorCookie()
    await tokens.revoke((await tokens.list())[0]!.id)
    expect(await isIn(cookie)).toBe(false)
  })

  test('not when the server is started anew', async () => {
    const cookie = await operatorCookie()
    const again = openTokens(directory, () => nowMs)
    expect((await again.session(cookie.split('=')[1]!))?.identity).toEqual({ role: 'operator', name: 'ada' })
  })
})

describe('a page of another site does nothing in the name of who is signed in', () => {
  const post = async (headers: Record<string, string>, payload: string | object = {}) => {
    const answer = await app.inject({ method: 'POST', url: '/thing', payload, headers: { cookie: await operatorCookie(), host, ...headers } })
    return answer.statusCode
  }

  test('what a page of this server sends is heeded', async () => {
    expect(await post({ origin: `http://${host}`, 'sec-fetch-site': 'same-origin' })).toBe(200)
    expect(await post({ origin: `http://${host}` })).toBe(200)
    // By way of a proxy that speaks HTTPS.
    expect(await post({ origin: `https://${host}` })).toBe(200)
  })

  test.each([
    ['another origin', { origin: 'http://evil.example' }],
    ['another port', { origin: 'http://ingot.example:9090' }],
    ['another scheme', { origin: `ftp://${host}` }],
    ['a sandboxed frame', { origin: 'null' }],
    ['no origin', {}],
    ['a subdomain by its own account', { origin: `http://${host}`, 'sec-fetch-site': 'same-site' }],
    ['another site by its own account', { origin: `http://${host}`, 'sec-fetch-site': 'cross-site' }],
  ])('%s is refused', async (_, headers) => {
    expect(await post(headers)).toBe(403)
  })

  test.each(['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data'])('the body of a form (%s) is refused', async (type) => {
    expect([403, 415]).toContain(await post({ ...ownOrigin, 'content-type': type }, '{"a":1}'))
  })

  test('reading by a page of another site is refused too', async () => {
    const cookie = await operatorCookie()
    expect((await app.inject({ url: '/thing', headers: { cookie, 'sec-fetch-site': 'cross-site' } })).statusCode).toBe(403)
    expect((await app.inject({ url: '/thing', headers: { cookie, 'sec-fetch-site': 'none' } })).statusCode).toBe(200)
  })

  test('it signs nobody in or out', async () => {
    const token = await tokens.create({ role: 'operator', name: 'ada' })
    expect((await signIn(token, { origin: 'http://evil.example' })).statusCode).toBe(403)
    expect((await app.inject({ method: 'DELETE', url: '/session', headers: { cookie: await operatorCookie(), host, origin: 'http://evil.example' } })).statusCode).toBe(403)
  })

  test('a script with a token needs none of this', async () => {
    const authorization = `Bearer ${await tokens.create({ role: 'operator', name: 'ci' })}`
    expect((await app.inject({ method: 'POST', url: '/thing', payload: {}, headers: { authorization } })).statusCode).toBe(200)
  })
})

test('pages allow nothing inline, nothing from elsewhere and no frame around them', async () => {
  await app.register(async (scope) => {
    await securePages(scope)
    scope.get('/page', async (_, reply) => reply.type('text/html').send('<!doctype html>'))
  })
  const { headers } = await app.inject('/page')
  expect(headers['content-security-policy']).toMatch(/^default-src 'none';script-src 'self';style-src 'self';/)
  expect(headers['content-security-policy']).toContain("frame-ancestors 'none'")
  expect(headers['content-security-policy']).not.toMatch(/unsafe|upgrade-insecure/)
  expect(headers).toMatchObject({ 'x-frame-options': 'DENY', 'referrer-policy': 'no-referrer', 'x-content-type-options': 'nosniff' })
})
