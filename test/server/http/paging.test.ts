import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { inventory, newClaim, openJobServer, type JobServer } from './job-server.ts'

let server: JobServer
beforeEach(async () => {
  server = await openJobServer({ list: [1, 2, 3, 4, 5].map((n) => ({ id: `job-${n}`, recipe: 'r' })) })
})
afterEach(() => server.close())

/** Walks from page to page by the header `Link`; what stands under `key`, by the name of each. */
async function walk(url: string, key: string): Promise<string[][]> {
  const pages: string[][] = []
  let next: string | undefined = url
  while (next !== undefined) {
    const answer = await server.operator('GET', next)
    expect(answer.statusCode).toBe(200)
    pages.push((answer.json() as Record<string, { id?: string; status?: { imageVersion: string } }[]>)[key]!.map(({ id, status }) => id ?? status!.imageVersion))
    next = /^<([^>]+)>; rel="next"$/.exec(String(answer.headers.link ?? ''))?.[1]
  }
  return pages
}

describe('pages', () => {
  test('of the job list are led through by the header Link, other parameters kept', async () => {
    expect(await walk('/jobs.json?limit=2&state=available', 'jobs')).toEqual([['job-1', 'job-2'], ['job-3', 'job-4'], ['job-5']])
    expect(await walk('/jobs.json', 'jobs')).toHaveLength(1)
  })

  test('of the machines', async () => {
    for (const id of ['52-54-00-00-00-03', '52-54-00-00-00-01', '52-54-00-00-00-02']) await server.machines.record(inventory({ id }))
    expect(await walk('/machines.json?limit=2', 'machines')).toEqual([['52-54-00-00-00-01', '52-54-00-00-00-02'], ['52-54-00-00-00-03']])
    expect(await walk('/machines.json?limit=3', 'machines')).toHaveLength(1)
  })

  test('of what was performed, also with the newest first', async () => {
    for (const id of ['job-1', 'job-2', 'job-3']) {
      const claim = newClaim()
      await server.claim(id, claim)
      const digest = `sha256:${'1'.repeat(64)}`
      const { status } = await server.jobs.received(id, digest, claim)
      await server.jobs.proving.perform(status, digest)
    }
    expect(await walk('/performed.json?limit=2', 'jobs')).toEqual([['job-1', 'job-2'], ['job-3']])
    expect(await walk('/performed.json?limit=2&order=newest', 'jobs')).toEqual([['job-3', 'job-2'], ['job-1']])
  })

  test('whose beginning has left the list are refused with 410, not answered with the wrong ones', async () => {
    const answer = await server.operator('GET', '/machines.json?after=52-54-00-00-00-09')
    expect([answer.statusCode, answer.json().type]).toEqual([410, 'urn:ingot:problem:gone'])
  })
})

describe('ETags of lists', () => {
  test.each(['/jobs.json', '/machines.json', '/performed.json'])('%s is not sent again while it is the same', async (url) => {
    const first = await server.operator('GET', url)
    const etag = String(first.headers.etag)
    expect(etag).toMatch(/^"[A-Za-z0-9_-]{22}"$/)
    const second = await server.operator('GET', url, { headers: { 'if-none-match': etag } })
    expect([second.statusCode, second.body, second.headers.etag]).toEqual([304, '', etag])
  })

  test('another list has another', async () => {
    const before = await server.operator('GET', '/jobs.json')
    await server.operator('POST', '/jobs/job-5/move', { payload: { at: 'first' } })
    const after = await server.operator('GET', '/jobs.json', { headers: { 'if-none-match': String(before.headers.etag) } })
    expect([after.statusCode, after.json().jobs[0].id]).toEqual([200, 'job-5'])
  })
})

describe('refusals', () => {
  test.each<[method: 'GET' | 'POST' | 'PUT', url: string, status: number, type: string]>([
    ['GET', '/nothing/here', 404, 'not-found'],
    ['GET', '/jobs/none.json', 404, 'not-found'],
    ['GET', '/jobs.json?limit=0', 400, 'request-invalid'],
    ['PUT', '/status/job-1.json', 403, 'forbidden'],
    ['POST', '/jobs', 400, 'request-invalid'],
  ])('%s %s is a problem with a type of its own', async (method, url, status, type) => {
    const answer = await server.operator(method, url, method === 'GET' ? {} : { payload: {} })
    expect(answer.headers['content-type']).toMatch(/^application\/problem\+json/)
    expect(answer.json()).toMatchObject({ type: `urn:ingot:problem:${type}`, status, title: expect.any(String) as string, instance: expect.stringMatching(/^urn:uuid:[0-9a-f-]{36}$/) as string })
  })
})
