import { once } from 'node:events'
import { readFile, writeFile } from 'node:fs/promises'
import { request } from 'node:http'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import type { ListedJob } from '../../../server/api/job.ts'
import { inventory, machineId, openJobServer, plan, type JobServer } from './job-server.ts'

let server: JobServer
beforeEach(async () => {
  server = await openJobServer({
    list: [
      { id: 'a', recipe: 'r' },
      { id: 'b', recipe: 'r', priority: 5 },
      { id: 'c', recipe: 'r' },
    ],
  })
})
afterEach(() => server.close())

const idsOf = ({ json }: { json: () => { jobs: ListedJob[] } }) => json().jobs.map(({ id }) => id)

describe('the list', () => {
  test('B2 a list written by hand is served with its defaults, in order of priority, then as written (B4)', async () => {
    const { jobs } = (await server.worker('GET', '/jobs.json')).json()
    expect(jobs.map(({ id, state }: ListedJob) => [id, state])).toEqual([['b', 'available'], ['a', 'available'], ['c', 'available']])
    expect(jobs[1]).toMatchObject({ priority: 0, timeLimitSeconds: 14_400, silenceLimitSeconds: 60, whenLost: 'reclaim', maxAttempts: 3, attempt: 0 })
  })

  test('B6 it tells the states apart, and can be asked for some of them', async () => {
    await server.claim('a')
    await server.operator('POST', '/jobs/c/cancel')
    expect(idsOf(await server.operator('GET', '/jobs.json?state=selected'))).toEqual(['a'])
    expect(idsOf(await server.operator('GET', '/jobs.json?state=available,cancelled'))).toEqual(['b', 'c'])
  })

  test('it is read page by page, each after the last job of the one before', async () => {
    expect(idsOf(await server.operator('GET', '/jobs.json?limit=2'))).toEqual(['b', 'a'])
    expect(idsOf(await server.operator('GET', '/jobs.json?limit=2&after=a'))).toEqual(['c'])
    await server.operator('DELETE', '/jobs/a')
    const gone = await server.operator('GET', '/jobs.json?limit=2&after=a')
    expect(gone.statusCode).toBe(410)
    expect(gone.json().title).toBe("after: 'a' is not on the list any more; ask again from its beginning")
  })

  test.each([
    ['limit=0', 'limit: expected a whole number from 1, got "0"'],
    ['limit=many', 'limit: expected a whole number from 1, got "many"'],
    ['state=done', 'state: expected one or more of available,waiting,selected,proving,failed,cancelled, got "done"'],
    ['stat=failed', 'stat: expected a known key (nearest: state; all: state, limit, after, worker), got stat'],
  ])('?%s is refused with the one field that is wrong', async (query, problem) => {
    const answer = await server.operator('GET', `/jobs.json?${query}`)
    expect(answer.statusCode).toBe(400)
    expect(answer.json().problems).toEqual([problem])
  })

  test('a list that a person broke is told with line and column, while the last good one stays in force', async () => {
    await writeFile(join(server.directory, 'jobs.json'), '{\n  "version": 1,\n  "jobs": [{ "id": "a", "recipe": "r", "prioritty": 1 }]\n}')
    await vi.waitFor(async () => {
      const answer = (await server.operator('GET', '/jobs.json')).json()
      expect(answer.problems).toEqual([expect.stringMatching(/jobs\.json:3:\d+: jobs\[0\]\.prioritty: expected a known key \(nearest: priority;/)])
      expect(answer.jobs).toHaveLength(3)
    }, 10_000)
  })

  test('F8 a worker that holds a job shows on the list how far it is', async () => {
    const progress = { stepIndex: 1, stepCount: 4, step: 'install-rootfs', doneBytes: 10, totalBytes: 20 }
    const claim = String((await server.claim('a')).headers['ingot-claim'])
    await server.report('a', claim, { state: 'running', progress })
    expect((await server.operator('GET', '/jobs.json?state=selected')).json().jobs).toMatchObject([{ id: 'a', state: 'selected', worker: machineId, attempt: 1, progress }])
  })
})

describe('what a worker may take', () => {
  const offers = (query = '', headers = {}) => server.worker('GET', `/jobs.json?worker=${machineId}${query}`, { headers })

  test('comes in order, without what it does not fit', async () => {
    await server.machines.record(inventory())
    await server.operator('PATCH', '/jobs/b', { payload: { requires: { memoryMiB: 4096 } } })
    expect(idsOf(await offers())).toEqual(['a', 'c'])
    expect(idsOf(await offers('&limit=1'))).toEqual(['a'])
    const blocked = (await server.operator('GET', '/jobs/b.json')).json()
    expect(blocked.machines).toEqual([{ machine: machineId, problems: ['memoryMiB: expected at least 4096, got 2048'] }])
  })

  test('B18 a job assigned to it goes before all else, and to nobody else', async () => {
    await server.operator('POST', '/jobs/c/assign', { payload: { machine: machineId } })
    expect(idsOf(await offers())).toEqual(['c', 'b', 'a'])
    expect(idsOf(await server.worker('GET', '/jobs.json?worker=other'))).not.toContain('c')
  })

  test('is waited for: the answer comes when a job does, and says that it waited', async () => {
    for (const id of ['a', 'b', 'c']) await server.claim(id)
    expect((await offers()).json()).toEqual({ version: 1, jobs: [] })
    const waiting = offers('&limit=1', { prefer: 'wait=50' })
    await server.operator('POST', '/jobs', { payload: { recipe: 'r', id: 'new' } })
    const answer = await waiting
    expect(idsOf(answer)).toEqual(['new'])
    expect(answer.headers['preference-applied']).toBe('wait=50')
  })

  test('is no longer waited for when the worker has gone away', async () => {
    for (const id of ['a', 'b', 'c']) await server.claim(id)
    const signals: AbortSignal[] = []
    const { offers: ask } = server.jobs
    server.jobs.offers = (asked) => {
      signals.push(asked.signal!)
      return ask(asked)
    }
    const url = await server.app.listen({ host: '127.0.0.1', port: 0 })
    const asked = request(`${url}/jobs.json?worker=${machineId}`, { headers: { prefer: 'wait=50', authorization: `Bearer ${server.credentials.worker}` } }).end()
    asked.on('error', () => {})
    await vi.waitFor(() => expect(signals).toHaveLength(1))
    asked.destroy()
    if (!signals[0]!.aborted) await once(signals[0]!, 'abort')
    expect(signals[0]!.aborted).toBe(true)
  })

  test('is not asked together with a filter, and not by an operator', async () => {
    const answer = await offers('&state=failed')
    expect(answer.statusCode).toBe(400)
    expect(answer.json().title).toMatch(/^state: expected nothing beside worker/)
    expect((await server.operator('GET', `/jobs.json?worker=${machineId}`)).statusCode).toBe(403)
  })
})

describe('one job', () => {
  test('B3 a job that an operator adds has its script before it is listed', async () => {
    const answer = await server.operator('POST', '/jobs', { payload: { recipe: 'r', place: { before: 'a' } } })
    expect(answer.statusCode).toBe(201)
    expect(answer.headers.location).toBe('/jobs/r-1.json')
    expect(JSON.parse(await readFile(join(server.directory, 'plans/r-1.json'), 'utf8'))).toEqual(plan)
    expect(idsOf(await server.worker('GET', '/jobs.json'))).toEqual(['b', 'r-1', 'a', 'c'])
    expect((await server.operator('POST', '/jobs', { payload: { recipe: 'r', id: 'a' } })).statusCode).toBe(409)
  })

  test('all that is known of it is kept when it has left the list', async () => {
    await server.operator('DELETE', '/jobs/a')
    expect((await server.operator('GET', '/jobs/a.json')).json()).toMatchObject({ job: { id: 'a' }, end: 'removed', attempts: [] })
    expect((await server.operator('GET', '/jobs/never.json')).statusCode).toBe(404)
  })

  test.each([
    ['POST', '/jobs', { recipe: 'r', priority: 'high' }, 'priority: expected integer, got "high"'],
    ['POST', '/jobs', { recipe: 'r', place: { at: 'middle' } }, 'place: expected one of {"before": JOB}, {"after": JOB}, {"at": "first"} and {"at": "last"}, got {"at":"middle"}'],
    ['POST', '/jobs', { recipe: 'r', requires: { labels: { Rack: 'b2' } } }, /^requires\.labels\.Rack: expected keys of up to 63 lower-case letters/],
    ['PATCH', '/jobs/a', { priority: 'high' }, 'priority: expected integer or null, got "high"'],
    ['PATCH', '/jobs/a', { priority: 5000 }, 'priority: expected a number <= 1000, got 5000'],
    ['PATCH', '/jobs/a', { whenLost: 'explode' }, 'whenLost: expected one of reclaim, remove, got "explode"'],
    ['PATCH', '/jobs/a', { requires: { memory: 4 } }, /^requires\.memory: expected a known key \(nearest: memoryMiB;/],
    ['POST', '/jobs/a/move', { beside: 'b' }, /^expected one of \{"before": JOB\}/],
    ['POST', '/jobs/a/assign', { machine: '' }, /^machine: expected /],
    ['DELETE', '/jobs/A', undefined, /^id: expected the id of a job/],
  ] as const)('%s %s %j names the one field that is wrong', async (method, url, payload, problem) => {
    const answer = await server.operator(method, url, payload === undefined ? {} : { payload })
    expect(answer.statusCode).toBe(400)
    expect(answer.headers['content-type']).toMatch(/^application\/problem\+json/)
    expect(answer.json().problems).toEqual([typeof problem === 'string' ? problem : expect.stringMatching(problem)])
  })
})

describe('edits', () => {
  test('B4 a job is moved, edited and set back to its defaults', async () => {
    expect((await server.operator('POST', '/jobs/c/move', { payload: { at: 'first' } })).json()).toMatchObject({ id: 'c', priority: 5 })
    expect(idsOf(await server.operator('GET', '/jobs.json'))).toEqual(['c', 'b', 'a'])
    expect((await server.operator('PATCH', '/jobs/c', { payload: { priority: -1, maxAttempts: 7 } })).json()).toMatchObject({ priority: -1, maxAttempts: 7 })
    expect(idsOf(await server.operator('GET', '/jobs.json'))).toEqual(['b', 'a', 'c'])
    expect((await server.operator('PATCH', '/jobs/c', { payload: { priority: null } })).json()).toMatchObject({ priority: 0, maxAttempts: 7 })
  })

  test('F4 a cancelled job is taken by nobody until it is retried', async () => {
    expect((await server.operator('POST', '/jobs/a/cancel')).json()).toMatchObject({ state: 'cancelled' })
    expect((await server.claim('a')).statusCode).toBe(412)
    expect((await server.operator('POST', '/jobs/a/retry')).json()).toMatchObject({ state: 'available' })
    expect((await server.claim('a')).statusCode).toBe(201)
    expect((await server.operator('POST', '/jobs/a/retry')).statusCode).toBe(409)
  })

  test.each([
    ['POST', '/jobs'],
    ['PATCH', '/jobs/a'],
    ['POST', '/jobs/a/move'],
    ['POST', '/jobs/a/assign'],
    ['POST', '/jobs/a/retry'],
    ['POST', '/jobs/a/cancel'],
    ['DELETE', '/jobs/a'],
    ['GET', '/performed.json'],
    ['PUT', `/machines/${machineId}/labels`],
  ] as const)('%s %s is not for workers', async (method, url) => {
    const payload = { '/jobs': { recipe: 'r' }, '/jobs/a': {}, '/jobs/a/move': { at: 'first' }, '/jobs/a/assign': { machine: 'm' } }[url as string] ?? { labels: {} }
    expect((await server.worker(method, url, method === 'GET' ? {} : { payload })).statusCode).toBe(403)
  })
})

describe('labels of a machine', () => {
  const label = (labels: object) => server.operator('PUT', `/machines/${machineId}/labels`, { payload: { labels } })

  test('decide who may take a job, and stay when the machine boots anew', async () => {
    await server.operator('PATCH', '/jobs/b', { payload: { requires: { labels: { rack: 'b2' } } } })
    expect((await server.claim('b')).statusCode).toBe(409)
    expect((await label({ rack: 'b2' })).json()).toMatchObject({ id: machineId, labels: { rack: 'b2' } })
    await server.worker('PUT', `/machines/${machineId}.json`, { payload: inventory() })
    expect((await server.claim('b')).statusCode).toBe(201)
    expect((await server.operator('GET', '/machines.json')).json().machines).toMatchObject([{ id: machineId, labels: { rack: 'b2' }, scratchSerials: [] }])
  })

  test.each([
    [{ Rack: 'b2' }, /^labels\.Rack: expected keys of up to 63 lower-case letters/],
    [{ rack: '' }, 'labels.rack: expected text of 1 to 100 characters, got ""'],
    [{ rack: 2 }, 'labels.rack: expected text of 1 to 100 characters, got 2'],
  ])('%j is refused with the one that is wrong', async (labels, problem) => {
    const answer = await label(labels)
    expect(answer.statusCode).toBe(400)
    expect(answer.json().problems).toEqual([typeof problem === 'string' ? problem : expect.stringMatching(problem)])
  })

  test('a machine file that a person broke is told with its place', async () => {
    await label({ rack: 'b2' })
    await writeFile(join(server.directory, `machines/${machineId}.json`), '{ "scratchSerials": "S1" }')
    expect((await server.operator('GET', '/machines.json')).json().problems).toEqual([expect.stringMatching(/\.json:1:21: scratchSerials: expected array, got "S1"$/)])
  })
})
