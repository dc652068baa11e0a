import swagger from '@fastify/swagger'
import type { FastifyInstance, FastifySchema, RouteOptions } from 'fastify'
import { version } from '../../version.ts'
import { securePages } from '../secure-pages.ts'
import { may } from '../auth.ts'
import { problemTypes } from '../problem.ts'
import { problemSchema } from './answers.ts'
import { imageDescriptions, registryDescriptions } from './describe-images.ts'
import { jobDescriptions } from './describe-jobs.ts'
import { bootFileDescription, machineDescriptions } from './describe-machines.ts'
import { watchingDescriptions } from './describe-watching.ts'
import { apiStyle, renderApiPage, type ApiDocument } from './render-api-page.ts'
import type { Access, Answer, RouteDescription, RouteDescriptions } from './route-description.ts'

const descriptions: RouteDescriptions = { ...jobDescriptions, ...machineDescriptions, ...imageDescriptions, ...watchingDescriptions }

const introduction = `A first computer and a master have the same interface. A token goes into the header \`Authorization: Bearer …\`.

Every refusal is a problem (RFC 9457) with one of these types:

${[...problemTypes()].map(([type, statuses]) => `- \`${type}\` (${statuses.join(', ')})`).join('\n')}

Lists have an ETag. They come in pages when \`limit\` is given; a header \`Link\` with \`rel="next"\` leads to the next page (RFC 8288).`

/** What is said of a route; undefined for one that nobody has described. */
const describe = (method: string, url: string): RouteDescription | undefined =>
  descriptions[`${method} ${url}`] ?? (method === 'GET' && url.startsWith('/boot/') ? bootFileDescription : undefined)

/**
 * `GET /openapi.json`: what all routes of this server take and answer, as OpenAPI 3.1, from the schemas that they check requests by; `GET /api`: the same
 * as a page, without scripts and without anything from elsewhere. Registered before the routes.
 */
export function describeApi(app: FastifyInstance): void {
  void app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: { title: 'Ingot', version, description: introduction },
      servers: [{ url: '/' }],
      components: { securitySchemes: { token: { type: 'http', scheme: 'bearer', description: 'made by `ingot token create`' } } },
    },
    transform: ({ schema, url, route }) => ({ schema: describeRoute(route, schema as FastifySchema | undefined), url: url.replace('*', ':path') }),
    transformObject: (document) => {
      if (!('openapiObject' in document)) return document.swaggerObject
      const { openapiObject } = document
      return { ...openapiObject, paths: { ...openapiObject.paths, ...registryPaths() } } as never
    },
  })
  void app.register(async (pages) => {
    await securePages(pages)
    pages.get('/openapi.json', async () => app.swagger())
    let page: string | undefined
    pages.get('/api', async (_, reply) => reply.type('text/html; charset=utf-8').send((page ??= renderApiPage(app.swagger() as unknown as ApiDocument))))
    pages.get('/api.css', async (_, reply) => reply.type('text/css; charset=utf-8').send(apiStyle))
  })
}

function describeRoute({ method, url }: RouteOptions, schema: FastifySchema | undefined): FastifySchema {
  // The registry is one route, whose endpoints are told one by one.
  if (url === '/v2/*') return { hide: true }
  const about = describe(typeof method === 'string' ? method : method[0]!, url)
  const operation = about === undefined ? { summary: url, response: { default: problemAnswer } } : { ...operationOf(about), response: responses(about.answers) }
  const params = url.includes('*') ? { params: { type: 'object', properties: pathParams(url), required: Object.keys(pathParams(url)) } } : {}
  return { ...schema, ...params, ...operation } as FastifySchema
}

const pathParams = (url: string) => Object.fromEntries([...url.replace('*', ':path').matchAll(/:([a-z]+)/g)].map(([, name]) => [name, { type: 'string' }]))

const operationOf = ({ tag, summary, access }: RouteDescription) => ({
  tags: [tag],
  summary,
  description: access === 'anyone' ? 'Needs no credential.' : `For ${rolesOf(access)}.`,
  security: access === 'anyone' ? [] : [{ token: [] }],
})

/** Who may ask, for people: an admin always may. */
const rolesOf = (access: Exclude<Access, 'anyone'>): string => [...new Set([...may[access], 'admin'])].join(', ')

const problemAnswer = { description: 'A refusal.', content: { 'application/problem+json': { schema: problemSchema } } }

/** Answers as Fastify has them; the shapes tell, nothing is made of them. */
const responses = (answers: Record<number, Answer>) => ({
  ...Object.fromEntries(Object.entries(answers).map(([status, answer]) => [status, responseOf(answer)])),
  default: problemAnswer,
})
const responseOf = ({ description, schema, type }: Answer) =>
  schema === undefined && type === undefined ? { type: 'null', description } : { description, content: { [type ?? 'application/json']: { schema: schema ?? { type: 'string' } } } }

/** The endpoints of the registry, as OpenAPI has them. */
function registryPaths(): Record<string, Record<string, object>> {
  const paths: Record<string, Record<string, object>> = {}
  for (const [name, about] of Object.entries(registryDescriptions)) {
    const [method, url] = name.split(' ') as [string, string]
    const parameters = Object.entries(pathParams(url)).map(([param, schema]) => ({ name: param, in: 'path', required: true, schema }))
    const answers = Object.entries(about.answers).map(([status, { description, type }]) => [status, { description, ...(type === undefined ? {} : { content: { [type]: {} } }) }])
    const path = (paths[url.replaceAll(/:([a-z]+)/g, '{$1}')] ??= {})
    path[method.toLowerCase()] = { ...operationOf(about), ...(parameters.length > 0 ? { parameters } : {}), responses: { ...Object.fromEntries(answers), default: { description: 'A refusal, as the distribution specification has it.' } } }
  }
  return paths
}
