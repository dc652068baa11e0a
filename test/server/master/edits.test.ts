import { expect, onTestFinished, test, vi } from 'vitest'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { recipeRoutes } from '../../../server/http/routes/recipes.ts'
import { tokenAuthorize } from '../../../server/http/token-authorize.ts'
import { aimNewJob } from '../../../server/master/new-job-routes.ts'
import { openImageStore } from '../../../server/image-store/open-image-store.ts'
import { openJobServer as openRealServer } from '../../appliance/worker/job-server.ts'
import { filled, sampleConfig, storeSample } from '../image-store/sample-image.ts'
import { inventory, openJobServer } from '../http/job-server.ts'
import { openMaster } from './open-master.ts'

/** A job server on a port whose jobs need nothing to be built, and which knows these recipes. */
async function openMaker(recipes: string[], list: object[] = []) {
  const server = await openJobServer({ list })
  await server.app.register(recipeRoutes, { recipes: { names: async () => recipes }, authorize: tokenAuthorize(server.tokens) })
  await server.app.listen({ host: '127.0.0.1', port: 0 })
  onTestFinished(() => server.close())
  return { ...server, url: `http://127.0.0.1:${(server.app.server.address() as AddressInfo).port}` }
}

const idsAt = async (server: Awaited<ReturnType<typeof openMaker>>) => (await server.jobs.list()).map(({ id }) => id)

test('a new job goes to the first computer that it names, or else to the first that knows the recipe', async () => {
  const [a, b] = [await openMaker(['plain']), await openMaker(['plain', 'web'])]
  const master = await openMaster({ a, b })
  const made = await master.operator('POST', '/jobs', { json: { recipe: 'web', priority: 3 } })
  expect([made.status, made.body.id, made.headers.get('location')]).toEqual([201, 'b.web-1', '/jobs/b.web-1.json'])
  expect((await master.operator('GET', made.headers.get('location')!)).body.job).toMatchObject({ id: 'b.web-1', priority: 3, origin: 'b' })
  expect((await master.operator('POST', '/jobs', { json: { recipe: 'plain' } })).body.id).toBe('a.plain-1')
  expect((await master.operator('POST', '/jobs?origin=b', { json: { recipe: 'plain', id: 'mine' } })).body.id).toBe('b.mine')
  expect((await master.operator('POST', '/jobs', { json: { recipe: 'plain', id: 'b.own' } })).body.id).toBe('b.own')
  expect((await master.operator('POST', '/jobs', { json: { recipe: 'plain', id: 'top', place: { before: 'b.own' } } })).body.id).toBe('b.top')
  expect([await idsAt(a), await idsAt(b)]).toEqual([['plain-1'], ['web-1', 'mine', 'top', 'own']])

  const unknown = await master.operator('POST', '/jobs', { json: { recipe: 'wbe' } })
  expect([unknown.status, unknown.body.problems]).toEqual([400, ['a: plain', 'b: plain, web']])
  const nowhere = await master.operator('POST', '/jobs', { json: { recipe: 'web', origin: 'c' } })
  expect([nowhere.status, nowhere.body.title]).toEqual([400, "origin: expected one of a, b, got 'c'"])
  expect((await master.operator('POST', '/jobs', { json: { recipe: 'web', priorty: 1 } })).body.problems).toEqual([expect.stringContaining('priorty: expected a known key')])
  expect((await master.operator('GET', '/recipes.json')).body.recipes).toEqual(['plain', 'web'])
})

test('a new job reaches a first computer behind a second master', async () => {
  const a = await openMaker(['web'])
  const outer = await openMaster({ inner: await openMaster({ a }) })
  expect((await outer.operator('POST', '/jobs', { json: { recipe: 'web', origin: 'inner.a' } })).body.id).toBe('inner.a.web-1')
  expect((await outer.operator('POST', '/jobs', { json: { recipe: 'web', place: { after: 'inner.a.web-1' } } })).body.id).toBe('inner.a.web-2')
})

test('no first computer is chosen for a recipe while one that may know it is away', async () => {
  const [a, b] = [await openMaker(['plain']), await openMaker(['web'])]
  const master = await openMaster({ a, b: { url: 'http://127.0.0.1:9', tokens: b.tokens } })
  const answer = await master.operator('POST', '/jobs', { json: { recipe: 'web' } })
  expect([answer.status, answer.body.problems]).toEqual([503, [expect.stringContaining("first computer 'b' cannot be reached")]])
})

test('a deployment goes to the first computer that has the image, or that its version names, in the names that it has there', async () => {
  const [a, b] = [await openRealServer(), await openRealServer()]
  const withImage = async (server: typeof a, version: string) => {
    const images = await openImageStore(join(server.directory, 'images'))
    const { bytes } = await storeSample(images, [filled(0, 1)], sampleConfig(), 'web')
    await images.publish('web', version, bytes)
    images.close()
  }
  await withImage(b, 'web-1')
  const master = await openMaster({ a, b })
  const nowhere = await master.operator('POST', '/jobs', { json: { deploy: { image: 'wbe' } } })
  expect([nowhere.status, nowhere.body.title]).toEqual([400, "deploy: expected an image that a first computer has, got 'wbe:latest'"])
  // These first computers have no tools to deploy with: where a request got to shows by what it was refused for.
  const asked = async (deploy: object) => (await master.operator('POST', '/jobs', { json: { deploy } })).body.title as string
  expect(await asked({ image: 'web' })).toContain('appliance')
  expect(await asked({ image: 'web', version: 'a.web-1' })).toContain('deploy.image: expected an image that is published')
  expect(aimNewJob({ deploy: { image: 'web', version: 'b.web-1' } }, ['a', 'b'])).toEqual({ firstComputer: 'b', job: { deploy: { image: 'web', version: 'web-1' } } })
  expect(() => aimNewJob({ id: 'a.x', deploy: { image: 'web', version: 'b.web-1' } }, ['a', 'b'])).toThrow(expect.objectContaining({ status: 409 }))
  await b.addJob({ id: 'x', deploy: { image: 'web', version: 'web-1' } })
  await vi.waitFor(async () => {
    const { jobs } = (await master.operator('GET', '/jobs.json')).body as { jobs: object[] }
    expect(jobs).toMatchObject([{ id: 'b.x', deploy: { image: 'web', version: 'b.web-1' } }])
  }, 10_000)
})

test('F6 a machine is released at whichever first computer it boots from', async () => {
  const [a, b] = [await openMaker([]), await openMaker([])]
  const master = await openMaster({ a, b })
  const id = '52-54-00-00-00-01'
  await b.machines.settle(id, { job: 'x', image: 'web', version: 'web-1', digest: `sha256:${'1'.repeat(64)}`, deployedAt: '2026-11-24T00:00:00Z' })
  expect((await master.operator('GET', '/machines.json')).body.machines).toMatchObject([{ id, system: { image: 'web' } }])
  expect((await master.operator('DELETE', `/machines/${id}/system`)).status).toBe(200)
  expect((await b.machines.read(id)).system).toBeUndefined()
})

test.each([
  [{ recipe: 'r', origin: 'a', id: 'b.x' }, 409],
  [{ recipe: 'r', origin: 'a', place: { before: 'b.x' } }, 409],
  [{ recipe: 'r', place: { after: 'x' } }, 404],
] as const)('%j names no one first computer', (wanted, status) => {
  expect(() => aimNewJob(wanted, ['a', 'b'])).toThrow(expect.objectContaining({ status }))
})

test('B4 an operator orders, edits, pushes, cancels, retries and removes jobs wherever they are', async () => {
  const [a, b] = [await openMaker([], [{ id: 'one', recipe: 'r' }, { id: 'two', recipe: 'r' }]), await openMaker([], [{ id: 'three', recipe: 'r' }])]
  const master = await openMaster({ a, b })
  const edited = await master.operator('PATCH', '/jobs/b.three', { json: { priority: 7 } })
  expect([edited.status, edited.body]).toEqual([200, expect.objectContaining({ id: 'b.three', origin: 'b', priority: 7 })])
  expect((await master.operator('POST', '/jobs/a.two/move', { json: { before: 'a.one' } })).body.id).toBe('a.two')
  expect(await idsAt(a)).toEqual(['two', 'one'])
  const across = await master.operator('POST', '/jobs/a.two/move', { json: { after: 'b.three' } })
  expect([across.status, across.body.title]).toEqual([409, expect.stringContaining("'b.three' is on the list of b and 'a.two' on that of a")])
  expect((await master.operator('POST', '/jobs/a.one/assign', { json: { machine: 'm1' } })).body.assignedTo).toBe('m1')
  expect((await master.operator('POST', '/jobs/a.one/cancel')).body.state).toBe('cancelled')
  expect((await master.operator('POST', '/jobs/a.one/retry')).body.state).toBe('available')
  expect((await master.operator('DELETE', '/jobs/a.one')).status).toBe(204)
  expect(await idsAt(a)).toEqual(['two'])
  expect((await master.operator('PATCH', '/jobs/a.two', { json: { prio: 1 } })).status).toBe(400)
  expect((await master.operator('POST', '/jobs/a.gone/cancel')).status).toBe(404)
})

test('machines, their marks and their labels are known to every first computer, and told of once', async () => {
  const id = '52-54-00-00-00-07'
  const [a, b] = [await openMaker([]), await openMaker([], [{ id: 'uefi', recipe: 'r', requires: { firmware: 'uefi' } }])]
  await a.machines.markScratch(id, 'S1')
  await b.machines.markScratch(id, 'S2')
  const master = await openMaster({ a, b })
  expect((await master.worker('PUT', `/machines/${id}.json`, { json: inventory({ id, firmware: 'uefi' }) })).body).toEqual({ scratchSerials: ['S1', 'S2'] })
  expect((await master.worker('GET', `/jobs.json?worker=${id}`)).body.jobs.map((job: { id: string }) => job.id)).toEqual(['b.uefi'])
  expect((await master.operator('PUT', `/machines/${id}/labels`, { json: { labels: { rack: 'b2' } } })).body.labels).toEqual({ rack: 'b2' })
  expect([(await a.machines.read(id)).labels, (await b.machines.read(id)).labels]).toEqual([{ rack: 'b2' }, { rack: 'b2' }])
  const { machines } = (await master.operator('GET', '/machines.json')).body
  expect(machines).toEqual([expect.objectContaining({ id, labels: { rack: 'b2' }, scratchSerials: ['S1', 'S2'], inventory: expect.objectContaining({ firmware: 'uefi' }) })])
})

test('a machine that told a master of itself is made known to a first computer that has not heard of it when the worker asks a new master', async () => {
  const id = '52-54-00-00-00-08'
  const [a, b] = [await openMaker([]), await openMaker([], [{ id: 'uefi', recipe: 'r', requires: { firmware: 'uefi' } }])]
  await a.machines.record(inventory({ id, firmware: 'uefi' }))
  const master = await openMaster({ a, b })
  expect((await master.worker('GET', `/jobs.json?worker=${id}`)).body.jobs).toHaveLength(1)
})

test('a machine that told of itself while a first computer was away is made known there when it is back', async () => {
  const id = '52-54-00-00-00-09'
  const [a, b] = [await openRealServer(), await openRealServer()]
  await b.addJob({ id: 'uefi', requires: { firmware: 'uefi' } })
  const master = await openMaster({ a, b })
  await b.stop()
  expect((await master.worker('PUT', `/machines/${id}.json`, { json: inventory({ id, firmware: 'uefi' }) })).status).toBe(200)
  await b.start()
  await vi.waitFor(async () => expect((await master.worker('GET', `/jobs.json?worker=${id}`)).body.jobs).toHaveLength(1), 10_000)
})

test('F1 marks go to every first computer, and what a job of one would erase is judged by the marks of all', async () => {
  const id = '52-54-00-00-00-0a'
  const [a, b] = [await openRealServer(), await openRealServer()]
  const master = await openMaster({ a, b })
  const disk = { device: '/dev/sda', sizeBytes: 8 * 2 ** 30, logicalSectorBytes: 512, model: 'M', serial: 'S1', wwn: '', transport: 'sata', removable: false, readOnly: false, contents: ['ext4'] }
  await master.worker('PUT', `/machines/${id}.json`, { json: inventory({ id, disks: [disk] }) })
  const scratch = (method: string, serial = 'S1') => master.operator(method, `/machines/${id}/scratch/${serial}`)
  const planFor = async (query: string) => (await master.operator('GET', `/machines/${id}/plan?${query}`)).body
  expect(await planFor('recipe=debian-12')).toMatchObject({ machine: id, purpose: 'recipe debian-12', verdict: 'refused' })
  expect((await scratch('PUT', 'S2')).status).toBe(409)
  expect((await scratch('PUT')).body).toMatchObject({ id, scratchSerials: ['S1'] })
  expect(await a.ask('GET', '/machines.json')).toMatchObject({ machines: [{ scratchSerials: ['S1'] }] })
  // The worker gets the marks of all from here: so one that b alone has counts for a job of a.
  await a.ask('DELETE', `/machines/${id}/scratch/S1`)
  expect(await planFor('recipe=debian-12')).toMatchObject({ verdict: 'erase', device: '/dev/sda' })
  const digest = `sha256:${'1'.repeat(64)}`
  await a.addJob({ id: 'x' }, [{ kind: 'start-from', disk: { minSizeBytes: 16 * 2 ** 30 }, diskSizeBytes: 2 ** 30, image: 'web', version: 'web-1', digest }])
  await vi.waitFor(async () => expect(await planFor('job=a.x')).toMatchObject({ purpose: 'job a.x', verdict: 'refused', summary: expect.stringContaining('is smaller than 16 GiB') }), 10_000)
  expect((await master.operator('GET', `/machines/${id}/plan?recipe=none`)).status).toBe(400)
  expect((await scratch('DELETE')).body.scratchSerials).toEqual([])
  expect(await planFor('recipe=debian-12')).toMatchObject({ verdict: 'refused' })
})

test('labels are set everywhere or, while a first computer is away, nowhere', async () => {
  const a = await openMaker([])
  const master = await openMaster({ a, b: { url: 'http://127.0.0.1:9', tokens: a.tokens } })
  const refused = await master.operator('PUT', '/machines/m1/labels', { json: { labels: { rack: 'b2' } } })
  expect([refused.status, refused.body.problems]).toEqual([503, [expect.stringContaining("first computer 'b' cannot be reached")]])
  expect((await a.machines.read('m1')).labels).toEqual({})
})

test('the schemas are those of a first computer', async () => {
  const a = await openMaker([])
  const master = await openMaster({ a })
  const there = await a.worker('GET', '/schemas/status.json')
  await vi.waitFor(async () => expect((await master.worker('GET', '/schemas/status.json')).body).toEqual(there.json()))
})
