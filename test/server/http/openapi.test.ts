import { Validator } from '@seriousme/openapi-schema-validator'
import { Ajv2020 } from 'ajv/dist/2020.js'
import formats from 'ajv-formats'
import { describe, expect, test } from 'vitest'
import { createApp } from '../../../server/http/app.ts'
import { openJobServer } from '../../appliance/worker/job-server.ts'
import { openMaster } from '../master/open-master.ts'

interface Operation {
  summary?: string
  tags?: string[]
  security?: object[]
  responses: Record<string, { content?: Record<string, { schema?: object }> }>
}
interface Document {
  openapi: string
  paths: Record<string, Record<string, Operation>>
}

const servers = {
  'a first computer': async () => openJobServer(),
  'a master': async () => {
    const first = await openJobServer()
    const { url, tokens } = await openMaster({ one: first })
    return { url, tokens, first }
  },
}
const documentOf = async ({ url }: { url: string }) => (await (await fetch(`${url}/openapi.json`)).json()) as Document

describe.each(Object.entries(servers))('GET /openapi.json of %s', (_, open) => {
  test('is a valid OpenAPI 3.1 document in which every route stands, described', async () => {
    const document = await documentOf(await open())
    expect(document.openapi).toBe('3.1.0')
    expect(await new Validator().validate({ ...structuredClone(document) })).toMatchObject({ valid: true })
    const operations = Object.entries(document.paths).flatMap(([path, methods]) => Object.entries(methods).map(([method, operation]) => ({ name: `${method} ${path}`, operation })))
    expect(operations.length).toBeGreaterThan(30)
    expect(operations.filter(({ operation }) => operation.tags === undefined || operation.security === undefined).map(({ name }) => name)).toEqual([])
  })

  test('tells rightly what needs a credential', async () => {
    const server = await open()
    const { paths } = await documentOf(server)
    const digest = `sha256:${'0'.repeat(64)}`
    const fill = (path: string) =>
      path.replace('{digest}', digest).replace('{file}', 'disk.raw').replace('/tokens/{id}', '/tokens/000000000000').replace('/machines/{id}', '/machines/52-54-00-00-00-01').replace('{upload}', 'x').replaceAll(/\{[a-z]+\}/g, 'one.a')
    const asked = await Promise.all(
      Object.entries(paths).flatMap(([path, methods]) =>
        Object.entries(methods)
          // What a route checks first is the shape of the body.
          .filter(([method]) => ['get', 'delete'].includes(method))
          .map(async ([method, { security }]) => {
            const answer = await fetch(`${server.url}${fill(path)}`, { method: method.toUpperCase(), redirect: 'manual' })
            await answer.body?.cancel()
            return { name: `${method} ${path}`, open: (security ?? []).length === 0, refused: answer.status === 401 }
          }),
      ),
    )
    expect(asked.filter(({ open: isOpen, refused }) => isOpen === refused).map(({ name }) => name)).toEqual([])
  })
})

test('what a server answers has the shape that its document tells', async () => {
  const server = await openJobServer()
  await server.addJob({ id: 'a', priority: 3, requires: { firmware: 'uefi' } } as { id: string })
  const operator = `Bearer ${await server.tokens.create({ role: 'operator', name: 'ci' })}`
  const { paths } = await documentOf(server)
  const ajv = formats.default(new Ajv2020({ strict: false, allErrors: true }))
  for (const [url, path] of [['/jobs.json'], ['/jobs/a.json', '/jobs/{id}.json'], ['/performed.json'], ['/machines.json'], ['/images.json'], ['/timelines.json'], ['/recipes.json'], ['/plans/a.json', '/plans/{id}.json'], ['/session'], ['/healthz'], ['/readyz']] as [string, string?][]) {
    const schema = paths[path ?? url]!.get!.responses['200']!.content!['application/json']!.schema!
    const check = ajv.compile(schema)
    const answer = await (await fetch(`${server.url}${url}`, { headers: { authorization: operator } })).json()
    expect([url, check(answer), check.errors]).toEqual([url, true, null])
  }
})

test('a route that nobody described stands in the document all the same', async () => {
  const app = createApp({ log: (await import('pino')).pino({ level: 'silent' }) })
  await app.register(async (routes) => void routes.get('/new/:thing', async () => ({})))
  const { paths } = (await app.inject('/openapi.json')).json<Document>()
  expect(paths['/new/{thing}']).toMatchObject({ get: { summary: '/new/:thing', parameters: [{ name: 'thing', in: 'path' }] } })
})

test('GET /api is a page that takes nothing from elsewhere and runs nothing', async () => {
  const { url } = await openJobServer()
  const answer = await fetch(`${url}/api`)
  const page = await answer.text()
  expect(answer.headers.get('content-security-policy')).toContain("default-src 'none'")
  expect(page).not.toMatch(/<script|https?:\/\/|style="/)
  expect(page).toContain('<code>/jobs/{id}/move</code>')
  expect(page).toContain('urn:ingot:problem:precondition-failed')
  expect((await fetch(`${url}${/href="([^"]+\.css)"/.exec(page)![1]}`)).headers.get('content-type')).toContain('text/css')
})
