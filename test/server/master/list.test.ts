import { expect, test, vi } from 'vitest'
import type { ListedJob } from '../../../server/api/job.ts'
import { openJobServer } from '../../appliance/worker/job-server.ts'
import { openMaster, type Behind } from './open-master.ts'

const idsOf = ({ body }: { body: { jobs: ListedJob[] } }) => body.jobs.map(({ id }) => id)

test('B19 the lists become one: by priority across servers, then in the order of the servers and of each list, and where each comes from is kept', async () => {
  const [a, b] = [await openJobServer(), await openJobServer()]
  for (const id of ['one', 'two']) await a.addJob({ id })
  for (const [id, priority] of [['high', 5], ['low', -1], ['same', 0]] as const) await b.addJob({ id, priority })
  const master = await openMaster({ a, b })
  const list = await master.worker('GET', '/jobs.json')
  expect(list.body.jobs.map(({ id, origin }: ListedJob) => [id, origin])).toEqual([['b.high', 'b'], ['a.one', 'a'], ['a.two', 'a'], ['b.same', 'b'], ['b.low', 'b']])
  expect(list.body.problems).toBeUndefined()
  expect(idsOf(await master.operator('GET', '/jobs.json?limit=2'))).toEqual(['b.high', 'a.one'])
  expect(idsOf(await master.operator('GET', '/jobs.json?limit=2&after=a.one'))).toEqual(['a.two', 'b.same'])
  await a.ask('POST', '/jobs/two/cancel')
  expect(idsOf(await master.operator('GET', '/jobs.json?state=cancelled'))).toEqual(['a.two'])
  expect((await master.operator('GET', '/jobs.json?state=done')).status).toBe(400)
  expect((await master.operator('GET', '/jobs.json?after=a.gone')).status).toBe(410)
})

test('B18 a worker is offered what was pushed to it before what has a higher priority elsewhere', async () => {
  const [a, b] = [await openJobServer(), await openJobServer()]
  await a.addJob({ id: 'high', priority: 9 })
  await b.addJob({ id: 'pushed', assignedTo: 'm1' })
  await b.addJob({ id: 'theirs', assignedTo: 'm2' })
  const master = await openMaster({ a, b })
  expect(idsOf(await master.worker('GET', '/jobs.json?worker=m1&limit=3'))).toEqual(['b.pushed', 'a.high'])
  expect((await master.worker('GET', '/jobs.json?worker=m1&state=failed')).status).toBe(400)
})

test('a waiting worker hears of a job at any first computer, and waits at no other then', async () => {
  const [a, b] = [await openJobServer(), await openJobServer()]
  const master = await openMaster({ a, b })
  const waiting = master.worker('GET', '/jobs.json?worker=m1&limit=1', { headers: { prefer: 'wait=60' } })
  // Past the first look at all of them: it waits now.
  await new Promise((resolve) => setTimeout(resolve, 300))
  await b.addJob({ id: 'new' })
  const answer = await waiting
  expect([idsOf(answer), answer.headers.get('preference-applied')]).toEqual([['b.new'], 'wait=60'])
})

test('a worker that waits in vain is answered with an empty list when its time is over', async () => {
  const master = await openMaster({ a: await openJobServer() })
  const answer = await master.worker('GET', '/jobs.json?worker=m1', { headers: { prefer: 'wait=1' } })
  expect([answer.status, answer.body.jobs]).toEqual([200, []])
})

test('a first computer that goes away takes its jobs along, with since when and why, is refused with 503, and is found again', async () => {
  const [a, b] = [await openJobServer(), await openJobServer()]
  await a.addJob({ id: 'x' })
  await b.addJob({ id: 'y' })
  const master = await openMaster({ a, b })
  await b.stop()
  const list = await master.operator('GET', '/jobs.json')
  expect(idsOf(list)).toEqual(['a.x'])
  expect(list.body.problems).toEqual([expect.stringMatching(/^first computer 'b' cannot be reached since 20\d\d-.*Z: .+/)])
  const claim = await master.worker('PUT', '/status/b.y.json', { json: {}, headers: { 'if-none-match': '*' } })
  expect([claim.status, claim.body.title]).toEqual([503, expect.stringMatching(/^first computer 'b' cannot be reached since/)])
  expect((await master.worker('PUT', '/status/a.x.json', { json: {}, headers: { 'if-none-match': '*' } })).status).toBe(201)

  // It comes back while a worker waits at the others.
  const waiting = master.worker('GET', '/jobs.json?worker=m1', { headers: { prefer: 'wait=60' } })
  await b.start()
  expect(idsOf(await waiting)).toEqual(['b.y'])
  await vi.waitFor(async () => expect((await master.operator('GET', '/jobs.json')).body.problems).toBeUndefined())
})

test('a master starts while its first computers are away, and has their jobs when they are there', async () => {
  const a = await openJobServer()
  await a.addJob({ id: 'x' })
  await a.stop()
  const master = await openMaster({ a })
  const empty = await master.operator('GET', '/jobs.json')
  expect([empty.status, empty.body.jobs, empty.body.problems.length]).toEqual([200, [], 1])
  expect((await master.operator('GET', '/performed.json')).status).toBe(503)
  await a.start()
  await vi.waitFor(async () => expect(idsOf(await master.operator('GET', '/jobs.json'))).toEqual(['a.x']), 10_000)
})

test('a first computer that refuses the master is a problem told, and a worker is told to try again rather than that it has no right', async () => {
  const [a, stranger] = [await openJobServer(), await openJobServer()]
  await a.addJob({ id: 'x' })
  const master = await openMaster({ a, b: { url: a.url.replace('127.0.0.1', 'localhost'), tokens: stranger.tokens } })
  const list = await master.operator('GET', '/jobs.json')
  expect(idsOf(list)).toEqual(['a.x'])
  expect(list.body.problems[0]).toMatch(/^first computer 'b' cannot be reached since .*: refuses the credential of this master \(401\)$/)
  expect((await master.worker('PUT', '/status/b.x.json', { json: {}, headers: { 'if-none-match': '*' } })).status).toBe(502)
})

test('a job whose name would be too long for an id is left out, and said so', async () => {
  const a = await openJobServer()
  const long = 'x'.repeat(95)
  await a.addJob({ id: long })
  const master = await openMaster({ 'hall-a': a })
  const list = await master.operator('GET', '/jobs.json')
  expect([idsOf(list), list.body.problems]).toEqual([[], [`hall-a: job '${long}' is left out, because 'hall-a.${long}' is too long for the id of a job`]])
})

test('what is wrong with the list of a first computer is told with its name', async () => {
  const a = await openJobServer()
  await a.addJob({ id: 'x' })
  const master = await openMaster({ a })
  await a.addJob({ id: 'y', priorty: 1 })
  await vi.waitFor(async () => expect((await master.operator('GET', '/jobs.json')).body.problems?.[0]).toMatch(/^a: .*priorty/), 10_000)
})

test('B19 masters stand behind masters: the whole way is in the name, and each keeps where a job comes from', async () => {
  const [a, b] = [await openJobServer(), await openJobServer()]
  await a.addJob({ id: 'web.1' })
  await b.addJob({ id: 'first', priority: 1 })
  const inner = await openMaster({ a })
  const outer = await openMaster({ inner, b })
  const list = await outer.operator('GET', '/jobs.json')
  expect(list.body.jobs.map(({ id, origin }: ListedJob) => [id, origin])).toEqual([['b.first', 'b'], ['inner.a.web.1', 'inner.a']])
  const claim = await outer.worker('PUT', '/status/inner.a.web.1.json', { json: { worker: 'm1' }, headers: { 'if-none-match': '*' } })
  expect([claim.status, claim.body.job, claim.body.server]).toEqual([201, 'inner.a.web.1', outer.url])
  expect(await a.status('web.1')).toMatchObject({ job: 'web.1', worker: 'm1', server: outer.url })

  // A first computer two steps away: told as what it is, and found again.
  await a.stop()
  expect((await outer.worker('GET', '/status/inner.a.web.1.json')).status).toBe(503)
  expect((await outer.operator('GET', '/jobs.json')).body.problems).toEqual([expect.stringMatching(/^inner: first computer 'a' cannot be reached since/)])
  const waiting = outer.worker('GET', '/jobs.json?worker=m2', { headers: { prefer: 'wait=60' } })
  await b.ask('POST', '/jobs/first/cancel')
  await a.start()
  await a.addJob({ id: 'web.2' })
  await vi.waitFor(async () => expect(idsOf(await outer.operator('GET', '/jobs.json'))).toContain('inner.a.web.2'), 10_000)
  await waiting
})

test('a master that is led back to itself says so and asks no further', async () => {
  const a = await openJobServer()
  await a.addJob({ id: 'x' })
  const behind: Record<string, Behind> = { a }
  const inner = await openMaster(behind)
  const outer = await openMaster({ inner })
  await inner.stop()
  behind.outer = outer
  await inner.start()
  await vi.waitFor(async () => {
    const { body } = await inner.operator('GET', '/jobs.json')
    expect(body.problems).toEqual(["outer: first computer 'inner': this master is behind itself: one of its first computers leads back to it"])
  }, 10_000)
})
