import { afterAll, beforeAll, expect, test } from 'vitest'
import type { ImageDetails, ImageListAnswer } from '../../../server/api/image-details.ts'
import type { OverviewSnapshot } from '../../../server/api/overview.ts'
import { openConsoleServer, type ConsoleServer } from '../web/console-server.ts'
import { jobIdOf, machineIdOf } from '../web/fill-data.ts'
import { fillImages } from '../web/fill-images.ts'

let server: ConsoleServer
beforeAll(async () => {
  server = await openConsoleServer({ machines: 10, jobs: 12 }, fillImages)
})
afterAll(() => server.close())

test('GET /overview.json tells all at once, and that it is the same to one who has it', async () => {
  const answer = await server.ask('GET', '/overview.json')
  const overview = (await answer.json()) as OverviewSnapshot
  expect(overview.jobs.map(({ id }) => id)).toEqual([7, 0, 1, 2, 3, 4, 5, 6, 8, 9, 10, 11].map(jobIdOf))
  expect(overview.machines).toHaveLength(10)
  expect(overview.machines.find(({ id }) => id === machineIdOf(9))).toMatchObject({ state: 'stopped', job: jobIdOf(9), stopped: { failure: { exitCode: 100 } } })
  const etag = answer.headers.get('etag')!
  const operator = await server.tokens.create({ role: 'viewer', name: 'wall' })
  const again = () => fetch(`${server.url}/overview.json`, { headers: { authorization: `Bearer ${operator}`, 'if-none-match': etag } })
  expect((await again()).status).toBe(304)
  expect((await server.ask('POST', `/jobs/${jobIdOf(11)}/cancel`)).status).toBe(200)
  expect((await again()).status).toBe(200)
})

test.each(['/overview.json', '/overview/events', '/images.json', '/images/web/web-1.json'])('%s is for people who may look, and not for machines', async (path) => {
  const status = async (token?: string) => {
    const stop = new AbortController()
    const answer = await fetch(`${server.url}${path}`, { signal: stop.signal, headers: token === undefined ? {} : { authorization: `Bearer ${token}` } })
    stop.abort()
    return answer.status
  }
  expect([await status(), await status(await server.tokens.create({ role: 'worker', name: 'm1' })), await status(await server.tokens.create({ role: 'viewer', name: 'wall' }))]).toEqual([401, 403, 200])
})

test('the page is one anybody may load, its files may be kept for ever, and others are not there', async () => {
  const page = await fetch(`${server.url}/`)
  expect([page.status, page.headers.get('cache-control')]).toEqual([200, 'no-cache'])
  const files = [...(await page.text()).matchAll(/"(\/console\/[^"]+)"/g)].map(([, path]) => path!)
  expect(files.length).toBeGreaterThanOrEqual(4)
  for (const path of files) {
    const file = await fetch(`${server.url}${path}`)
    expect([path, file.status, file.headers.get('cache-control')]).toEqual([path, 200, 'public, max-age=31536000, immutable'])
  }
  expect((await fetch(`${server.url}/console/none.js`)).status).toBe(404)
})

test('GET /images.json tells proof and signature of every version, and one of them all that it holds', async () => {
  const { images } = (await (await server.ask('GET', '/images.json')).json()) as ImageListAnswer
  expect(images.map(({ name, version, proof, signature }) => [`${name}:${version}`, proof?.proof, signature.problems])).toEqual([
    ['web:web-2', 'booted', []],
    ['web:web-1', 'booted', []],
    ['debian-12:old', undefined, ['none is attached']],
  ])
  const details = (await (await server.ask('GET', '/images/web/web-2.json')).json()) as ImageDetails
  expect(details).toMatchObject({ packageCount: 4, diskBytes: 4 * 2 ** 30, partitions: [{ name: 'bios' }, { name: 'esp' }, { name: 'root', mountPoint: '/' }], packages: [{ name: 'base-files' }, {}, {}, {}] })
  expect((await server.ask('GET', '/images/web/none.json')).status).toBe(404)
})
