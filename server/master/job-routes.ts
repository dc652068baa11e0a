import type { FastifyPluginAsync } from 'fastify'
import { placeSchema, type Place } from '../api/job.ts'
import type { StatusReport } from '../api/status.ts'
import type { Role } from '../api/role.ts'
import { may } from '../http/auth.ts'
import { HttpProblem } from '../http/problem.ts'
import { jobParams, type WithJobId } from '../http/routes/job-routes-options.ts'
import { passOn, streamBodies, type PassOnOptions } from './pass-on.ts'
import type { Rename } from './rename.ts'
import { linkRoleOf, locate, type MasterContext } from './route-context.ts'

type Renamer = (rename: Rename) => NonNullable<PassOnOptions['rename']>
const listed: Renamer = ({ listed }) => listed

/** Requests about one job that go to its first computer as they are. */
const passed: { method: 'GET' | 'POST' | 'PATCH' | 'DELETE'; url: string; roles: readonly Role[]; rename?: Renamer }[] = [
  { method: 'GET', url: '/jobs/:id.json', roles: may.look, rename: ({ details }) => details },
  { method: 'PATCH', url: '/jobs/:id', roles: may.change, rename: listed },
  { method: 'POST', url: '/jobs/:id/assign', roles: may.change, rename: listed },
  { method: 'POST', url: '/jobs/:id/retry', roles: may.change, rename: listed },
  { method: 'POST', url: '/jobs/:id/cancel', roles: may.change, rename: listed },
  { method: 'DELETE', url: '/jobs/:id', roles: may.change },
  { method: 'GET', url: '/plans/:id.json', roles: may.lookOrWork },
  { method: 'GET', url: '/status/:id.json', roles: may.lookOrWork, rename: ({ status }) => status },
  { method: 'DELETE', url: '/status/:id.json', roles: may.work },
  { method: 'GET', url: '/logs/:id.log', roles: may.lookOrWork },
  { method: 'POST', url: '/logs/:id.log', roles: may.work },
]

const objectSchema = { type: 'object' } as const

/** One job: its script, status, log and what an operator does with it, at the first computer that it is of. */
export const masterJobRoutes: FastifyPluginAsync<MasterContext> = async (app, { links, authorize }) => {
  await app.register(async (scope) => {
    streamBodies(scope)
    for (const { method, url, roles, rename } of passed) {
      scope.route<WithJobId>({
        method,
        url,
        schema: { params: jobParams },
        async handler(request, reply) {
          const role = linkRoleOf(await authorize(request, roles), roles)
          const { link, name } = locate(links, request.params.id)
          return passOn(request, reply, link, { role, path: url.replace(':id', name), ...(rename === undefined ? {} : { rename: rename(link.rename) }) })
        },
      })
    }
  })

  // A claim and a report (B15). Who claims is known here only: there it is this master that asks.
  app.put<WithJobId & { Body: StatusReport }>('/status/:id.json', { schema: { params: jobParams, body: objectSchema } }, async (request, reply) => {
    const identity = await authorize(request, may.work)
    const { link, name } = locate(links, request.params.id)
    const claims = request.headers['if-none-match'] !== undefined
    const body: object = claims ? { worker: identity.name, server: `${request.protocol}://${request.host}`, ...request.body } : request.body
    return passOn(request, reply, link, { role: 'worker', path: `/status/${name}.json`, body, rename: link.rename.status })
  })

  app.post<WithJobId & { Body: Place }>('/jobs/:id/move', { schema: { params: jobParams, body: placeSchema } }, async (request, reply) => {
    await authorize(request, may.change)
    const { link, name } = locate(links, request.params.id)
    const body = placeThere(request.body, (beside) => {
      const other = locate(links, beside)
      if (other.link !== link) throw new HttpProblem(409, `'${beside}' is on the list of ${other.link.name} and '${request.params.id}' on that of ${link.name}: expected two of one first computer; across them the priority decides`)
      return other.name
    })
    return passOn(request, reply, link, { role: 'operator', path: `/jobs/${name}/move`, body, rename: link.rename.listed })
  })
}

/** A place on the list in the names of the first computer that it is at. */
export function placeThere(place: Place, nameThere: (id: string) => string): Place {
  if ('before' in place) return { before: nameThere(place.before) }
  return 'after' in place ? { after: nameThere(place.after) } : place
}
