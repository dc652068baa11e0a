import { randomBytes } from 'node:crypto'
import { expect, test } from 'vitest'
import { openJobServer } from '../../appliance/worker/job-server.ts'
import { asker, openMaster } from './open-master.ts'

const newClaim = () => randomBytes(32).toString('base64url')
const claiming = (claim: string, json: object = {}) => ({ json, headers: { 'if-none-match': '*', 'ingot-claim': claim } })
const reporting = (claim: string, json: object = {}, match = '*') => ({ json, headers: { 'if-match': match, 'ingot-claim': claim } })

async function openTwo() {
  const a = await openJobServer()
  const b = await openJobServer()
  return { a, b, master: await openMaster({ a, b }) }
}

test('B15 a claim means the same at the master: 201, 200 when asked again, 412 when taken, with its headers, and in the names of the master', async () => {
  const { a, master } = await openTwo()
  await a.addJob({ id: 'web-1' })
  const claim = newClaim()
  const made = await master.worker('PUT', '/status/a.web-1.json', claiming(claim))
  expect([made.status, made.headers.get('etag'), made.headers.get('ingot-claim')]).toEqual([201, '"1-1"', claim])
  // The one who claims is known by the master's own credentials, and reached the master.
  expect(made.body).toMatchObject({ job: 'a.web-1', imageVersion: 'a.web-1', worker: 'rack', server: master.url, state: 'claimed' })
  expect(await a.status('web-1')).toMatchObject({ job: 'web-1', imageVersion: 'web-1', worker: 'rack', server: master.url })

  expect((await master.worker('PUT', '/status/a.web-1.json', claiming(claim))).status).toBe(200)
  expect((await master.worker('PUT', '/status/a.web-1.json', claiming(newClaim()))).status).toBe(412)
  const read = await master.worker('GET', '/status/a.web-1.json', { headers: { 'ingot-claim': claim } })
  expect([read.status, read.headers.get('etag'), read.body.job]).toEqual([200, '"1-1"', 'a.web-1'])
  expect((await master.worker('GET', '/status/a.web-1.json', { headers: { 'if-none-match': '"1-1"', 'ingot-claim': claim } })).status).toBe(304)
})

test('reports pass with their conditions: 200 and the next ETag, 412 for an old one, 428 without, 409 for another claim', async () => {
  const { b, master } = await openTwo()
  await b.addJob({ id: 'x' })
  const claim = newClaim()
  await master.worker('PUT', '/status/b.x.json', claiming(claim, { worker: 'm1' }))
  const first = await master.worker('PUT', '/status/b.x.json', reporting(claim, { state: 'running' }, '"1-1"'))
  expect([first.status, first.headers.get('etag'), first.body.state, first.body.job]).toEqual([200, '"1-2"', 'running', 'b.x'])
  expect((await master.worker('PUT', '/status/b.x.json', reporting(claim, {}, '"1-1"'))).status).toBe(412)
  expect((await master.worker('PUT', '/status/b.x.json', { json: {}, headers: { 'ingot-claim': claim } })).status).toBe(428)
  expect((await master.worker('PUT', '/status/b.x.json', reporting(newClaim()))).status).toBe(409)
  expect((await master.worker('POST', '/logs/b.x.log', { body: 'hello\n', headers: { 'content-type': 'text/plain', 'ingot-claim': claim } })).status).toBe(204)
  expect((await master.operator('GET', '/logs/b.x.log?offset=1')).body).toBe('ello\n')
  expect((await master.worker('HEAD', '/logs/b.x.log', { headers: { 'ingot-claim': claim } })).headers.get('content-length')).toBe('6')
})

test('F5 a job that was cancelled at its first computer is refused with 410 at the master, whatever the worker sends', async () => {
  const { a, master } = await openTwo()
  await a.addJob({ id: 'x' })
  const claim = newClaim()
  await master.worker('PUT', '/status/a.x.json', claiming(claim))
  await a.ask('POST', '/jobs/x/cancel')
  expect((await master.worker('PUT', '/status/a.x.json', reporting(claim))).status).toBe(410)
  expect((await master.worker('POST', '/logs/a.x.log', { body: 'x', headers: { 'content-type': 'text/plain', 'ingot-claim': claim } })).status).toBe(410)
  expect((await master.worker('DELETE', '/status/a.x.json', { headers: { 'ingot-claim': claim } })).status).toBe(410)
  // A refusal comes before the body was read: the worker must see it all the same.
  const upload = { body: Buffer.alloc(8 * 2 ** 20), headers: { 'ingot-job': 'a.x', 'ingot-claim': claim, 'content-type': 'application/octet-stream' } }
  const refused = await master.worker('POST', `/v2/r/blobs/uploads/?digest=sha256:${'0'.repeat(64)}`, upload)
  expect([refused.status, refused.body.errors[0].code]).toEqual([410, 'DENIED'])
})

test('B8 of many who claim a job at the master and at its first computer, one has it', async () => {
  const { a, master } = await openTwo()
  const there = asker(() => a.url, await a.tokens.create({ role: 'worker', name: 'direct' }))
  for (let round = 0; round < 20; round++) {
    await a.addJob({ id: `j${round}` })
    const claims = Array.from({ length: 8 }, (_, index) =>
      index % 2 === 0 ? master.worker('PUT', `/status/a.j${round}.json`, claiming(newClaim())) : there('PUT', `/status/j${round}.json`, claiming(newClaim())),
    )
    const statuses = (await Promise.all(claims)).map(({ status }) => status)
    expect(statuses.toSorted()).toEqual([201, ...Array<number>(7).fill(412)])
  }
})

test('a job of no first computer is not found, with the names that there are', async () => {
  const { master } = await openTwo()
  for (const id of ['web-1', 'c.web-1']) {
    const answer = await master.worker('PUT', `/status/${id}.json`, claiming(newClaim()))
    expect([answer.status, answer.body.title]).toEqual([404, `'${id}': expected the name of a first computer and a dot before it (a., b.)`])
  }
})

test('the credentials of a first computer are none at its master, and roles mean the same', async () => {
  const { a, master } = await openTwo()
  const direct = asker(() => master.url, await a.tokens.create({ role: 'admin', name: 'x' }))
  expect((await direct('GET', '/jobs.json')).status).toBe(401)
  expect((await master.worker('POST', '/jobs/a.x/cancel')).status).toBe(403)
  expect((await master.operator('PUT', '/status/a.x.json', claiming(newClaim()))).status).toBe(403)
})
