import { beforeEach, describe, expect, onTestFinished, test } from 'vitest'
import { machine, openJobServer, type JobServer } from '../../appliance/worker/job-server.ts'
import { newClaim } from '../http/job-server.ts'
import { openMaster } from '../master/open-master.ts'

const digest = `sha256:${'1'.repeat(64)}`
const blob = { name: 'r', path: `/v2/r/blobs/${digest}` }
const other = '52-54-00-99-99-99'
let server: JobServer
let credential: string

beforeEach(async () => {
  server = await openJobServer()
  await server.addJob({ id: 'mine' })
  await server.addJob({ id: 'theirs' })
  const response = await fetch(`${server.url}/credentials`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ ticket: await server.ticket() }) })
  credential = ((await response.json()) as { credential: string }).credential
})

const ask = async (method: string, path: string, { by = credential, url = server.url, json, headers = {} }: { by?: string; url?: string; json?: object; headers?: Record<string, string> } = {}) => {
  const body = json === undefined ? {} : { body: JSON.stringify(json) }
  const response = await fetch(`${url}${path}`, { method, headers: { authorization: `Bearer ${by}`, ...(json === undefined ? {} : { 'content-type': 'application/json' }), ...headers }, ...body })
  const text = await response.text()
  return { status: response.status, text }
}
const claim = async (id: string, more: Parameters<typeof ask>[2] = {}): Promise<string> => {
  const token = newClaim()
  const { status, text } = await ask('PUT', `/status/${id}.json`, { ...more, json: { ...more.json }, headers: { 'if-none-match': '*', 'ingot-claim': token } })
  expect([status, text]).toEqual([201, expect.any(String)])
  return token
}
const toolsDigest = async () => {
  const plan = (await server.ask('GET', '/plans/mine.json')) as { tools: { digest: string } }
  return plan.tools.digest
}
const read = async (id: string): Promise<string[]> => [`/plans/${id}.json`, `/status/${id}.json`, `/logs/${id}.log`, `/components/${await toolsDigest()}`, blob.path]

describe('the credential of a machine', () => {
  test('reads the script, status, log, components and images of the job that it holds', async () => {
    const headers = { 'ingot-job': 'mine', 'ingot-claim': await claim('mine') }
    await ask('POST', '/logs/mine.log', { headers: { ...headers, 'content-type': 'text/plain' } })
    for (const path of await read('mine')) expect([path, (await ask('GET', path, { headers })).status]).toEqual([path, path === blob.path ? 404 : 200])
    expect((await ask('GET', blob.path, { headers })).text).toContain('is not in the store')
  })

  test('reads nothing of a job with another claim than that which holds it, nor without one, nor once the job is taken from it', async () => {
    const held = await claim('mine')
    for (const path of await read('mine')) {
      expect([path, (await ask('GET', path, { headers: { 'ingot-job': 'mine' } })).status]).toEqual([path, 400])
      expect([path, (await ask('GET', path, { headers: { 'ingot-job': 'mine', 'ingot-claim': newClaim() } })).status]).toEqual([path, 409])
    }
    await server.ask('POST', '/jobs/mine/cancel')
    for (const path of await read('mine')) expect([path, (await ask('GET', path, { headers: { 'ingot-job': 'mine', 'ingot-claim': held } })).status]).toEqual([path, 410])
  })

  test('reads nothing of the job of another, though it holds one itself', async () => {
    const headers = { 'ingot-job': 'mine', 'ingot-claim': await claim('mine') }
    await claim('theirs', { by: await server.tokens.create({ role: 'worker', name: 'rack' }) })
    for (const path of ['/plans/theirs.json', '/status/theirs.json', '/logs/theirs.log']) expect([path, (await ask('GET', path, { headers })).status]).toEqual([path, 409])
  })

  test('reads no component and no image that the script of its job does not name', async () => {
    const headers = { 'ingot-job': 'mine', 'ingot-claim': await claim('mine') }
    const secret = await server.components.add('secret', (async function* () { yield Buffer.from('of another job') })())
    expect((await ask('GET', `/components/${secret.digest}`, { headers })).status).toBe(404)
    for (const path of [`/v2/other/blobs/${digest}`, '/v2/other/manifests/latest']) expect((await ask('GET', path, { headers })).text).toContain("names no image 'other'")
  })

  test('sees of the list what is available, and not what others do', async () => {
    await claim('theirs', { by: await server.tokens.create({ role: 'worker', name: 'rack' }) })
    expect(JSON.parse((await ask('GET', '/jobs.json')).text)).toMatchObject({ jobs: [{ id: 'mine', state: 'available' }] })
    expect(JSON.parse((await ask('GET', '/jobs.json')).text).jobs).toHaveLength(1)
  })

  test('asks, claims, reports and tells of itself for its own machine alone', async () => {
    const headers = { 'if-none-match': '*', 'ingot-claim': newClaim() }
    expect((await ask('GET', `/jobs.json?worker=${other}`)).status).toBe(403)
    expect((await ask('PUT', '/status/mine.json', { json: { worker: other }, headers })).status).toBe(403)
    const held = await claim('mine', { json: { worker: machine } })
    expect((await ask('PUT', '/status/mine.json', { json: { worker: other }, headers: { 'if-match': '*', 'ingot-claim': held } })).status).toBe(403)
    expect(await server.status('mine')).toMatchObject({ worker: machine })
    expect((await ask('DELETE', `/machines/${other}/system`)).status).toBe(403)
  })

  test('publishes for its own job, its own image and its own version alone', async () => {
    const headers = { 'ingot-job': 'mine', 'ingot-claim': await claim('mine'), 'content-type': 'application/octet-stream' }
    expect((await ask('POST', '/v2/other/blobs/uploads/', { headers })).status).toBe(409)
    expect((await ask('POST', '/v2/r/blobs/uploads/', { headers: { ...headers, 'ingot-job': 'theirs' } })).status).toBe(410)
    expect((await ask('POST', '/v2/r/blobs/uploads/', { headers })).status).toBe(202)
    expect((await ask('PUT', '/v2/r/manifests/theirs', { headers })).status).toBe(409)
  })
})

test('a worker behind a master reads its own job there, and what it may not read does not cost the master its first computer', async () => {
  const master = await openMaster({ a: server })
  const worker = await master.tokens.create({ role: 'worker', name: 'rack' })
  const at = { by: worker, url: master.url }
  onTestFinished(() => master.stop())
  const held = await claim('a.mine', { ...at, json: { worker: machine } })
  expect((await ask('GET', '/plans/a.mine.json', { ...at, headers: { 'ingot-claim': held } })).status).toBe(200)
  expect((await ask('GET', `/components/${await toolsDigest()}`, { ...at, headers: { 'ingot-job': 'a.mine', 'ingot-claim': held } })).status).toBe(200)
  for (const [path, status] of [['/plans/a.mine.json', 400], ['/plans/a.theirs.json', 400], [blob.path, 400], ['/v2/_catalog', 403], ['/v2/r/tags/list', 403]] as const) {
    expect([path, (await ask('GET', path, at)).status]).toEqual([path, status])
  }
  expect((await master.operator('GET', '/jobs.json')).body.problems).toBeUndefined()
})
