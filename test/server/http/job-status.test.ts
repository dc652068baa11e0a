import { readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { Ajv2020 } from 'ajv/dist/2020.js'
import addFormats from 'ajv-formats'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { machineId, newClaim, openJobServer, type JobServer } from './job-server.ts'
import { completeJob } from '../jobs/complete-job.ts'

let server: JobServer
beforeEach(async () => {
  server = await openJobServer({ list: [{ id: 'a', recipe: 'r' }] })
})
afterEach(() => server.close())

const imageDigest = `sha256:${'1'.repeat(64)}`

describe('claims', () => {
  test('B14 absence of the status file means available; B15 a claim makes it, with worker, server and a token that only its hash shows', async () => {
    expect((await server.worker('GET', '/status/a.json')).statusCode).toBe(404)
    const claim = newClaim()
    const answer = await server.claim('a', claim, { worker: 'm1', server: 'http://10.77.0.1:8080' })
    expect(answer.statusCode).toBe(201)
    expect(answer.headers).toMatchObject({ etag: '"1-1"', 'ingot-claim': claim })
    const text = await readFile(join(server.directory, 'status', 'a.json'), 'utf8')
    expect(JSON.parse(text)).toMatchObject({ job: 'a', worker: 'm1', server: 'http://10.77.0.1:8080', state: 'claimed', attempt: 1, revision: 1 })
    expect(text).not.toContain(claim)
  })

  test('B13 a claim with an empty body is of the machine of the credential, by the path that it asked', async () => {
    const { statusCode, headers } = await server.worker('PUT', '/status/a.json', { payload: {}, headers: { 'if-none-match': '*', host: '10.77.0.1:8080' } })
    expect(statusCode).toBe(201)
    expect((await server.operator('GET', '/status/a.json')).json()).toMatchObject({ worker: machineId, server: 'http://10.77.0.1:8080' })
    expect((await server.report('a', String(headers['ingot-claim']), { state: 'running' })).statusCode).toBe(200)
  })

  test('B8 of a hundred claims at once one is taken, all others are told 412', async () => {
    const codes = (await Promise.all(Array.from({ length: 100 }, () => server.claim('a')))).map((answer) => answer.statusCode)
    expect(codes.filter((code) => code === 201)).toHaveLength(1)
    expect(codes.filter((code) => code === 412)).toHaveLength(99)
  })

  test('a worker whose answer was lost asks again with its token and finds that it holds the job', async () => {
    const claim = newClaim()
    expect((await server.claim('a', claim)).statusCode).toBe(201)
    expect((await server.claim('a', claim)).statusCode).toBe(200)
  })

  test.each([
    ['without a credential', {}],
    ['with an unknown credential', { authorization: 'Bearer ingot_worker_unknown' }],
  ])('B15 %s nothing is created', async (_, headers) => {
    const answer = await server.app.inject({ method: 'PUT', url: '/status/a.json', headers: { ...headers, 'if-none-match': '*' }, payload: {} })
    expect(answer.statusCode).toBe(401)
    await expect(stat(join(server.directory, 'status', 'a.json'))).rejects.toThrow(/ENOENT/)
  })

  test('an operator cannot claim', async () => {
    expect((await server.operator('PUT', '/status/a.json', { payload: {}, headers: { 'if-none-match': '*' } })).statusCode).toBe(403)
  })

  test('a job that is not listed cannot be claimed, and a name with a path in it reaches no file', async () => {
    expect((await server.claim('nope')).statusCode).toBe(404)
    expect((await server.claim('..%2f..%2fetc%2fpasswd')).statusCode).toBe(400)
  })
})

describe('what a write must say (RFC 9110, 13.1)', () => {
  const put = (headers: Record<string, string>) => server.worker('PUT', '/status/a.json', { payload: {}, headers: { 'ingot-claim': newClaim(), ...headers } })

  test.each([
    [{}, 428, /^expected the header If-None-Match: \* to claim the job, or If-Match with its ETag or \* to report, got neither$/],
    [{ 'if-none-match': '"1-1"' }, 400, /^header If-None-Match: expected \*, got "1-1"$/],
    [{ 'if-none-match': '*', 'if-match': '*' }, 400, /got both$/],
  ] as const)('%j is %d', async (headers, code, title) => {
    const answer = await put(headers)
    expect(answer.statusCode).toBe(code)
    expect(answer.json().title).toMatch(title)
  })

  test('a report without the token of a claim is refused', async () => {
    const answer = await server.worker('PUT', '/status/a.json', { payload: {}, headers: { 'if-match': '*' } })
    expect(answer.statusCode).toBe(400)
    expect(answer.json().title).toMatch(/^header Ingot-Claim: expected/)
  })

  test('a wrong field of a report is named', async () => {
    const claim = String((await server.claim('a')).headers['ingot-claim'])
    expect((await server.report('a', claim, { state: 'done' })).json().problems).toEqual(['state: expected one of claimed, running, performed, failed, got "done"'])
    expect((await server.report('a', claim, { stat: 'running' })).json().problems).toEqual([expect.stringMatching(/^stat: expected a known key \(nearest: state;/)])
  })
})

describe('reports', () => {
  let claim: string
  beforeEach(async () => {
    claim = newClaim()
    await server.claim('a', claim)
  })

  test('B12 the status tells how far the installation is, and each report is an event', async () => {
    const progress = { stepIndex: 1, stepCount: 4, step: 'install-rootfs', doneBytes: 10, totalBytes: 20 }
    expect((await server.report('a', claim, { state: 'running', progress })).statusCode).toBe(200)
    expect((await server.operator('GET', '/status/a.json')).json()).toMatchObject({ state: 'running', progress, worker: machineId })
    expect(server.events.since(0).map(({ event }) => event.hop)).toEqual(['claim', 'step'])
  })

  test('a report over another status than the one that was read is refused, and the ETag tells which it is', async () => {
    const first = await server.operator('GET', '/status/a.json')
    expect(first.headers.etag).toBe('"1-1"')
    const second = await server.report('a', claim, { state: 'running' }, '"1-1"')
    expect([second.statusCode, second.headers.etag]).toEqual([200, '"1-2"'])
    expect((await server.report('a', claim, {}, '"1-1"')).statusCode).toBe(412)
    const unchanged = await server.operator('GET', '/status/a.json', { headers: { 'if-none-match': '"1-2"' } })
    expect([unchanged.statusCode, unchanged.body]).toEqual([304, ''])
  })

  test('F5 another claim can neither report, log nor give back, and changes nothing', async () => {
    const other = { 'ingot-claim': newClaim() }
    expect((await server.report('a', newClaim(), { state: 'failed' })).statusCode).toBe(409)
    expect((await server.worker('POST', '/logs/a.log', { payload: 'x', headers: { ...other, 'content-type': 'text/plain' } })).statusCode).toBe(409)
    expect((await server.worker('DELETE', '/status/a.json', { headers: other })).statusCode).toBe(409)
    expect((await server.operator('GET', '/status/a.json')).json()).toMatchObject({ state: 'claimed', revision: 1 })
  })

  test.each([
    ['cancelled', 'POST', '/jobs/a/cancel'],
    ['removed', 'DELETE', '/jobs/a'],
  ] as const)('F5 when the job is %s, every further write of its worker is refused with 410', async (_, method, url) => {
    await server.operator(method, url)
    expect((await server.report('a', claim, {})).statusCode).toBe(410)
    expect((await server.worker('POST', '/logs/a.log', { payload: 'x', headers: { 'ingot-claim': claim, 'content-type': 'text/plain' } })).statusCode).toBe(410)
  })

  test('a worker gives its job back, and another attempt may take it', async () => {
    expect((await server.worker('DELETE', '/status/a.json', { headers: { 'ingot-claim': claim } })).statusCode).toBe(204)
    expect((await server.operator('GET', '/status/a.json')).statusCode).toBe(404)
    const again = await server.claim('a')
    expect([again.statusCode, again.headers.etag]).toEqual([201, '"2-1"'])
    expect((await server.operator('GET', '/jobs/a.json')).json().attempts).toMatchObject([{ attempt: 1, worker: machineId, loss: 'given-back' }])
    expect((await server.report('a', claim, {})).statusCode).toBe(410)
  })

  test('F2 a worker cannot say that a job is performed: only a received image makes it so, and then the job leaves the list (B10)', async () => {
    expect((await server.report('a', claim, { state: 'performed' })).statusCode).toBe(409)
    await completeJob(server.jobs, 'a', imageDigest, claim)
    expect((await server.operator('GET', '/jobs.json')).json().jobs).toEqual([])
    const performed = { job: { id: 'a' }, end: 'performed', status: { state: 'performed', imageDigest } }
    expect((await server.operator('GET', '/performed.json')).json()).toMatchObject({ version: 1, jobs: [performed] })
    expect((await server.operator('GET', '/jobs/a.json')).json()).toMatchObject(performed)
    expect((await server.report('a', claim, { state: 'running' })).statusCode).toBe(410)
  })
})

test('F5 a claim may publish the image of its own job, under its own version, and no other', async () => {
  const claim = String((await server.claim('a')).headers['ingot-claim'])
  await server.operator('GET', '/plans/a.json')
  const mayPublish = (image: string, version: string | undefined, by: string) => server.jobs.mayPublish('a', image, version, by)
  await expect(mayPublish('r', undefined, claim)).resolves.toBeUndefined()
  await expect(mayPublish('r', 'a', claim)).resolves.toBeUndefined()
  await expect(mayPublish('r', 'b', claim)).rejects.toMatchObject({ status: 409 })
  await expect(mayPublish('other', undefined, claim)).rejects.toMatchObject({ status: 409 })
  await expect(mayPublish('r', undefined, newClaim())).rejects.toMatchObject({ status: 409 })
})

describe('the log', () => {
  const say = (claim: string, payload: string) => server.worker('POST', '/logs/a.log', { payload, headers: { 'ingot-claim': claim, 'content-type': 'text/plain' } })

  test('F8 is kept in the order in which the worker said it, and is read on from any byte', async () => {
    const claim = String((await server.claim('a')).headers['ingot-claim'])
    expect((await server.operator('GET', '/logs/a.log')).statusCode).toBe(404)
    for (const line of ['één\n', 'two\n']) expect((await say(claim, line)).statusCode).toBe(204)
    expect((await server.operator('GET', '/logs/a.log')).body).toBe('één\ntwo\n')
    const from = Buffer.byteLength('één\n')
    expect((await server.operator('GET', `/logs/a.log?offset=${from}`)).body).toBe('two\n')
    expect((await server.operator('GET', `/logs/a.log?offset=${from + 4}`)).body).toBe('')
    const beyond = await server.operator('GET', `/logs/a.log?offset=${from + 5}`)
    expect([beyond.statusCode, beyond.json().title]).toEqual([416, 'offset: expected at most 10, the bytes of the log, got 11'])
  })

  test('is text', async () => {
    const claim = String((await server.claim('a')).headers['ingot-claim'])
    const answer = await server.worker('POST', '/logs/a.log', { payload: { line: 1 }, headers: { 'ingot-claim': claim } })
    expect([answer.statusCode, answer.json().title]).toEqual([415, 'body: expected text/plain'])
  })
})

describe('published schemas', () => {
  const schema = async (name: string) => {
    const answer = await server.app.inject(`/schemas/${name}.json`)
    expect(answer.headers['content-type']).toMatch(/^application\/schema\+json/)
    const ajv = new Ajv2020({ strict: true, allowUnionTypes: true })
    addFormats.default(ajv)
    return ajv.compile(answer.json())
  }

  test('B12 a status fits the one that everybody may read, and what is no status does not', async () => {
    await server.claim('a')
    const fits = await schema('status')
    const status = (await server.operator('GET', '/status/a.json')).json()
    expect(fits(status)).toBe(true)
    expect(fits({ ...status, state: 'done' })).toBe(false)
  })

  test('B2 so does the list as a person writes it', async () => {
    const fits = await schema('jobs')
    expect(fits({ version: 1, jobs: [{ id: 'a', recipe: 'r', requires: { memoryMiB: 4096, labels: { rack: 'b2' } } }] })).toBe(true)
    expect(fits({ version: 1, jobs: [{ id: 'a', recipe: 'r', requires: { memory: 4096 } }] })).toBe(false)
    expect(fits({ version: 2, jobs: [] })).toBe(false)
  })
})

describe('a booted machine', () => {
  test('exchanges its ticket once for a credential and the servers it walks', async () => {
    await server.admission.admit('52-54-00-00-00-09', 'ci')
    const ticket = await server.tokens.createTicket('52-54-00-00-00-09', 60)
    const exchange = () => server.app.inject({ method: 'POST', url: '/credentials', payload: { ticket } })
    const answer = (await exchange()).json()
    expect(answer).toMatchObject({ machine: '52-54-00-00-00-09', servers: [{ url: 'http://one', credential: answer.credential }, { url: 'http://two', credential: 'theirs' }] })
    expect(await server.tokens.identify(answer.credential)).toEqual({ role: 'worker', name: '52-54-00-00-00-09', isMachine: true })
    expect((await exchange()).statusCode).toBe(401)
  })
})
