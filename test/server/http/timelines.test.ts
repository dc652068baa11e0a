import { describe, expect, test } from 'vitest'
import { openJobServer } from '../../appliance/worker/job-server.ts'
import { openMaster } from '../master/open-master.ts'
import { inventory } from './job-server.ts'

const id = inventory().id
const introduce = async (server: Awaited<ReturnType<typeof openJobServer>>) =>
  fetch(`${server.url}/machines/${id}.json`, {
    method: 'PUT',
    headers: { authorization: `Bearer ${await server.tokens.create({ role: 'worker', name: id })}`, 'content-type': 'application/json' },
    body: JSON.stringify(inventory()),
  })
const statusOf = async (url: string, path: string, credential?: string) =>
  (await fetch(`${url}${path}`, credential === undefined ? {} : { headers: { authorization: `Bearer ${credential}` } })).status

describe('F8 GET /machines/<id>/timeline', () => {
  test('tells what has just happened, also after a restart of the server', async () => {
    const server = await openJobServer()
    await introduce(server)
    const told = (await server.ask('GET', `/machines/${id}/timeline`)) as { events: object[] }
    expect(told).toMatchObject({ version: 1, machine: id, now: { state: 'idle', hop: 'worker', what: 'waits for a job' }, events: [{ hop: 'worker', machine: id }] })
    await server.stop()
    await server.start()
    expect(await server.ask('GET', `/machines/${id}/timeline`)).toEqual(told)
    expect(await server.ask('GET', '/timelines.json')).toMatchObject({ version: 1, machines: [{ machine: id, now: { hop: 'worker' } }] })
  })
  test('a ticket that was exchanged is a hop of its machine', async () => {
    const server = await openJobServer()
    const body = JSON.stringify({ ticket: await server.ticket() })
    const answer = await fetch(`${server.url}/credentials`, { method: 'POST', headers: { 'content-type': 'application/json' }, body })
    const { machine } = (await answer.json()) as { machine: string }
    expect(await server.ask('GET', `/machines/${machine}/timeline`)).toMatchObject({ now: { what: 'looks at its hardware' }, events: [{ hop: 'credential' }] })
  })
  test('is for operators, and 404 for a machine that nothing was heard of', async () => {
    const server = await openJobServer()
    const worker = await server.tokens.create({ role: 'worker', name: id })
    for (const path of [`/machines/${id}/timeline`, '/timelines.json']) {
      expect([await statusOf(server.url, path), await statusOf(server.url, path, worker)]).toEqual([401, 403])
    }
    expect(await server.ask('GET', `/machines/${id}/timeline`)).toBe(404)
  })
})

test('a master tells the hops that all first computers know of a machine, in its names', async () => {
  const [a, b] = [await openJobServer(), await openJobServer()]
  await introduce(a)
  await b.addJob({ id: 'x' })
  const master = await openMaster({ a, b })
  await master.worker('PUT', '/status/b.x.json', { json: { worker: id }, headers: { 'if-none-match': '*' } })
  const { body } = await master.operator('GET', `/machines/${id}/timeline`)
  expect(body).toMatchObject({ now: { state: 'working', what: 'prepares job b.x' }, events: [{ hop: 'worker' }, { hop: 'claim', job: 'b.x' }] })
  expect((await master.operator('GET', '/timelines.json')).body).toMatchObject({ machines: [{ machine: id, now: { state: 'working' } }] })
  expect((await master.operator('GET', '/machines/02-00-00-00-00-99/timeline')).status).toBe(404)
})
