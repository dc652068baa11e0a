import { performance } from 'node:perf_hooks'
import send from '@fastify/send'
import type { FastifyPluginAsync, FastifyRequest } from 'fastify'
import { digestSchema } from '../../../images/component.ts'
import type { ComponentStore } from '../../components/component-store.ts'
import type { Emit } from '../../event-log.ts'
import { may, type Authorize } from '../auth.ts'
import { HttpProblem } from '../problem.ts'

export interface ComponentRoutesOptions {
  components: ComponentStore
  authorize: Authorize
  emit: Emit
  /** The job that a worker asks for, the machine that performs it, and what its script calls the component. Throws `HttpProblem` when that is not for this worker. */
  neededBy: (request: FastifyRequest, asker: string, digest: string) => Promise<{ job: string; machine: string; name: string }>
}

/**
 * `GET /components/<digest>`: what the script of a job names, downloaded by the worker that performs it (B20), in ranges too (RFC 9110, 14), so that a
 * download that broke off goes on where it ended (F9).
 */
export const componentRoutes: FastifyPluginAsync<ComponentRoutesOptions> = async (app, { components, authorize, emit, neededBy }) => {
  const params = { type: 'object', properties: { digest: digestSchema }, required: ['digest'] } as const
  app.get<{ Params: { digest: string } }>('/components/:digest', { schema: { params } }, async (request, reply) => {
    const { role, name: asker } = await authorize(request, may.lookOrWork)
    const { digest } = request.params
    const needed = role === 'worker' ? await neededBy(request, asker, digest) : undefined
    if ((await components.sizeBytes(digest)) === undefined) throw new HttpProblem(404, `no component ${digest} is kept here`)
    const { statusCode, headers, stream } = await send(request.raw, encodeURI(components.path(digest)), sendOptions)
    const bytes = Number(headers['Content-Length'])
    if (needed !== undefined && statusCode < 300) {
      const startedAt = performance.now()
      reply.raw.once('finish', () => emit({ ...needed, hop: 'component', bytes, ms: Math.round(performance.now() - startedAt) }))
    }
    return reply.code(statusCode).headers({ ...headers, etag: `"${digest}"` }).type('application/octet-stream').send(stream)
  })
}

/** What lies under a digest never changes: neither its age nor its place on the disk tells anything about it. */
const sendOptions = { cacheControl: false, contentType: false, dotfiles: 'allow', etag: false, lastModified: false } as const
