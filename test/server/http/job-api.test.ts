import { randomBytes } from 'node:crypto'
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { FastifyInstance } from 'fastify'
import { pino } from 'pino'
import type { Plan } from '../../../images/plan.ts'
import { openEventLog, type EventLog } from '../../../server/event-log.ts'
import { createApp } from '../../../server/http/app.ts'
import { jobRoutes } from '../../../server/http/routes/jobs.ts'
import { machineRoutes } from '../../../server/http/routes/machines.ts'
import { tokenAuthorize } from '../../../server/http/token-authorize.ts'
import { openFileJobStore } from '../../../server/jobs/file-job-store.ts'
import { createJobService } from '../../../server/jobs/job-service.ts'
import { openMachineStore } from '../../../server/machine-store.ts'
import { openTokens, type Tokens } from '../../../server/tokens.ts'

const plan: Plan = {
  version: 1,
  recipe: { name: 'r', digest: 'sha256:0' },
  architecture: 'amd64',
  firmware: ['bios'],
  tools: { name: 'tools', digest: `sha256:${'0'.repeat(64)}`, sizeBytes: 0 },
  steps: [{ kind: 'image', image: 'r' }],
}

let directory: string
let app: FastifyInstance
let tokens: Tokens
let events: EventLog
let worker: string
let operator: string
let jobs: ReturnType<typeof createJobService>

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'ingot-jobs-'))
  tokens = openTokens(directory)
  events = openEventLog(directory)
  worker = await tokens.create({ role: 'worker', name: '52-54-00-00-00-01' })
  operator = await tokens.create({ role: 'operator', name: 'ci' })
  jobs = createJobService({ store: openFileJobStore(directory), makePlan: async () => plan, emit: events.emit })
  app = createApp({ log: pino({ level: 'silent' }) })
  const authorize = tokenAuthorize(tokens)
  await app.register(jobRoutes, {
    jobs,
    authorize,
    emit: events.emit,
    createJob: async (wanted) => {
      const job = { id: `${wanted.recipe}-1`, priority: 0, timeLimitSeconds: 600, ...wanted }
      await jobs.add(job)
      return job
    },
  })
  await app.register(machineRoutes, { machines: openMachineStore(directory), tokens, authorize, emit: events.emit, servers: [{ url: 'http://one' }, { url: 'http://two', credential: 'theirs' }] })
})
afterEach(async () => {
  await app.close()
  await events.close()
  await rm(directory, { recursive: true })
})

const list = (...entries: object[]) => writeFile(join(directory, 'jobs.json'), JSON.stringify({ version: 1, jobs: entries }))
const bearer = (credential: string) => ({ authorization: `Bearer ${credential}` })
const newClaim = () => randomBytes(32).toString('base64url')
const claimJob = (id: string, { credential = worker, claim = newClaim(), payload = {} as object } = {}) =>
  app.inject({ method: 'PUT', url: `/status/${id}.json`, headers: { ...bearer(credential), 'if-none-match': '*', 'ingot-claim': claim }, payload })
const report = (id: string, claim: string, payload: object) =>
  app.inject({ method: 'PUT', url: `/status/${id}.json`, headers: { ...bearer(worker), 'ingot-claim': claim }, payload })

describe('the list', () => {
  test('B2 a list written by hand is served with its defaults, in order of priority, then as written (B4)', async () => {
    await list({ id: 'a', recipe: 'r' }, { id: 'b', recipe: 'r', priority: 5 }, { id: 'c', recipe: 'r' })
    const answer = await app.inject({ url: '/jobs.json', headers: bearer(worker) })
    expect(answer.json().jobs.map((job: { id: string; state: string }) => [job.id, job.state])).toEqual([
      ['b', 'available'],
      ['a', 'available'],
      ['c', 'available'],
    ])
  })

  test('a list that is broken is an error that names line and column, not an empty list', async () => {
    await writeFile(join(directory, 'jobs.json'), '{\n  "version": 1,\n  "jobs": [{ "id": "a", "recipe": "r", "prioritty": 1 }]\n}')
    await expect(jobs.list()).rejects.toMatchObject({ code: 'data-invalid', problems: [expect.stringMatching(/jobs\.json:3:\d+: jobs\[0\]\.prioritty: expected a known key \(nearest: priority;/)] })
  })

  test('a job that an operator adds has its script before it is listed (B3)', async () => {
    const answer = await app.inject({ method: 'POST', url: '/jobs', headers: bearer(operator), payload: { recipe: 'r' } })
    expect(answer.statusCode).toBe(201)
    expect((await app.inject({ url: '/plans/r-1.json', headers: bearer(worker) })).json()).toEqual(plan)
    expect(JSON.parse(await readFile(join(directory, 'jobs.json'), 'utf8')).jobs).toHaveLength(1)
  })

  test('a wrong field of a new job is named', async () => {
    const answer = await app.inject({ method: 'POST', url: '/jobs', headers: bearer(operator), payload: { recipe: 'r', priority: 'high' } })
    expect(answer.statusCode).toBe(400)
    expect(answer.headers['content-type']).toMatch(/^application\/problem\+json/)
    expect(answer.json().problems).toEqual(['priority: expected integer, got "high"'])
  })
})

describe('claims', () => {
  beforeEach(() => list({ id: 'a', recipe: 'r' }))

  test('B14 absence of the status file means available; B15 a claim makes it, with worker, server and a token that only its hash shows', async () => {
    expect((await app.inject({ url: '/status/a.json', headers: bearer(worker) })).statusCode).toBe(404)
    const claim = newClaim()
    const answer = await claimJob('a', { claim, payload: { worker: 'm1', server: 'http://10.77.0.1:8080' } })
    expect(answer.statusCode).toBe(201)
    const text = await readFile(join(directory, 'status', 'a.json'), 'utf8')
    expect(JSON.parse(text)).toMatchObject({ job: 'a', worker: 'm1', server: 'http://10.77.0.1:8080', state: 'claimed', attempt: 1 })
    expect(text).not.toContain(claim)
    expect((await app.inject({ url: '/jobs.json', headers: bearer(worker) })).json().jobs[0].state).toBe('selected')
  })

  test('B8 of a hundred claims at once one is taken, all others are told 412', async () => {
    const codes = (await Promise.all(Array.from({ length: 100 }, () => claimJob('a')))).map((answer) => answer.statusCode)
    expect(codes.filter((code) => code === 201)).toHaveLength(1)
    expect(codes.filter((code) => code === 412)).toHaveLength(99)
  })

  test('a worker whose answer was lost asks again with its token and finds that it holds the job', async () => {
    const claim = newClaim()
    expect((await claimJob('a', { claim })).statusCode).toBe(201)
    expect((await claimJob('a', { claim })).statusCode).toBe(200)
  })

  test('a claim without a token gets one from the server, in the same header', async () => {
    const answer = await app.inject({ method: 'PUT', url: '/status/a.json', headers: { ...bearer(worker), 'if-none-match': '*' }, payload: {} })
    expect(answer.statusCode).toBe(201)
    expect((await report('a', String(answer.headers['ingot-claim']), { state: 'running' })).statusCode).toBe(200)
  })

  test.each([
    ['without a credential', {}, 401],
    ['with an unknown credential', bearer('ingot_worker_unknown'), 401],
  ])('B15 %s nothing is created', async (_, headers, code) => {
    const answer = await app.inject({ method: 'PUT', url: '/status/a.json', headers: { ...headers, 'if-none-match': '*' }, payload: {} })
    expect(answer.statusCode).toBe(code)
    await expect(stat(join(directory, 'status', 'a.json'))).rejects.toThrow(/ENOENT/)
  })

  test('an operator cannot claim, and a worker cannot add jobs', async () => {
    expect((await claimJob('a', { credential: operator })).statusCode).toBe(403)
    expect((await app.inject({ method: 'POST', url: '/jobs', headers: bearer(worker), payload: { recipe: 'r' } })).statusCode).toBe(403)
  })

  test('a job that is not listed cannot be claimed, and a name with a path in it reaches no file', async () => {
    expect((await claimJob('nope')).statusCode).toBe(404)
    expect((await claimJob('..%2f..%2fetc%2fpasswd')).statusCode).toBe(400)
  })
})

describe('reports', () => {
  let claim: string
  beforeEach(async () => {
    await list({ id: 'a', recipe: 'r' })
    claim = newClaim()
    await claimJob('a', { claim })
  })

  test('B12 the status tells how far the installation is, and each report is an event', async () => {
    const progress = { stepIndex: 1, stepCount: 4, step: 'install-rootfs', doneBytes: 10, totalBytes: 20 }
    expect((await report('a', claim, { state: 'running', progress })).statusCode).toBe(200)
    expect((await app.inject({ url: '/status/a.json', headers: bearer(operator) })).json()).toMatchObject({ state: 'running', progress, worker: '52-54-00-00-00-01' })
    expect(events.since(0).map(({ event }) => event.hop)).toEqual(['claim', 'step'])
  })

  test('F5 another claim can neither report nor log, and changes nothing', async () => {
    expect((await report('a', newClaim(), { state: 'failed' })).statusCode).toBe(409)
    const log = await app.inject({ method: 'POST', url: '/logs/a.log', headers: { ...bearer(worker), 'ingot-claim': newClaim(), 'content-type': 'text/plain' }, payload: 'x' })
    expect(log.statusCode).toBe(409)
    expect((await jobs.status('a')).state).toBe('claimed')
  })

  test('F2 a worker cannot say that a job is performed: only a received image makes it so, and then the job leaves the list (B10)', async () => {
    expect((await report('a', claim, { state: 'performed' })).statusCode).toBe(409)
    await jobs.complete('a', `sha256:${'1'.repeat(64)}`)
    expect(await jobs.list()).toEqual([])
    const kept = JSON.parse(await readFile(join(directory, 'performed', 'a.json'), 'utf8'))
    expect(kept).toMatchObject({ job: { id: 'a' }, status: { state: 'performed', imageDigest: `sha256:${'1'.repeat(64)}` } })
    expect((await report('a', claim, { state: 'running' })).statusCode).toBe(409)
  })

  test('F8 the log is kept in the order in which the worker said it', async () => {
    for (const line of ['one\n', 'two\n']) {
      await app.inject({ method: 'POST', url: '/logs/a.log', headers: { ...bearer(worker), 'ingot-claim': claim, 'content-type': 'text/plain' }, payload: line })
    }
    expect((await app.inject({ url: '/logs/a.log', headers: bearer(operator) })).body).toBe('one\ntwo\n')
  })

  test('a claim may publish the image of its own job and no other', async () => {
    await app.inject({ url: '/plans/a.json', headers: bearer(worker) })
    await expect(jobs.mayPublish('a', 'r', claim)).resolves.toBeUndefined()
    await expect(jobs.mayPublish('a', 'other', claim)).rejects.toMatchObject({ status: 409 })
    await expect(jobs.mayPublish('a', 'r', newClaim())).rejects.toMatchObject({ status: 409 })
  })
})

describe('a booted machine', () => {
  test('exchanges its ticket once for a credential and the servers it walks', async () => {
    const ticket = await tokens.createTicket('52-54-00-00-00-09', 60)
    const exchange = () => app.inject({ method: 'POST', url: '/credentials', payload: { ticket } })
    const answer = (await exchange()).json()
    expect(answer).toMatchObject({ machine: '52-54-00-00-00-09', servers: [{ url: 'http://one', credential: answer.credential }, { url: 'http://two', credential: 'theirs' }] })
    expect(await tokens.identify(answer.credential)).toEqual({ role: 'worker', name: '52-54-00-00-00-09' })
    expect((await exchange()).statusCode).toBe(401)
  })
})
