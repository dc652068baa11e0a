import { performance } from 'node:perf_hooks'
import send from '@fastify/send'
import type { FastifyPluginAsync } from 'fastify'
import { digestSchema } from '../../../images/component.ts'
import { jobHeader } from '../../api/headers.ts'
import type { ComponentStore } from '../../components/component-store.ts'
import type { Emit } from '../../event-log.ts'
import { may, type Authorize } from '../auth.ts'
import { HttpProblem } from '../problem.ts'

export interface ComponentRoutesOptions {
  components: ComponentStore
  authorize: Authorize
  emit: Emit
  /** The machine that performs a job, for one who asks with a worker's credential. */
  machineOf: (job: string, asker: string) => Promise<string>
  /** What the script of a job calls a component, for people. */
  nameOf: (job: string, digest: string) => Promise<string>
}

/**
 * `GET /components/<digest>`: what the script of a job names, downloaded by the worker that performs it (B20), in ranges too (RFC 9110, 14), so that a
 * download that broke off goes on where it ended (F9).
 */
export const componentRoutes: FastifyPluginAsync<ComponentRoutesOptions> = async (app, { components, authorize, emit, machineOf, nameOf }) => {
  const params = { type: 'object', properties: { digest: digestSchema }, required: ['digest'] } as const
  app.get<{ Params: { digest: string } }>('/components/:digest', { schema: { params } }, async (request, reply) => {
    const { role, name: asker } = await authorize(request, may.lookOrWork)
    const { digest } = request.params
    if ((await components.sizeBytes(digest)) === undefined) throw new HttpProblem(404, `no component ${digest} is kept here`)
    const { statusCode, headers, stream } = await send(request.raw, encodeURI(components.path(digest)), sendOptions)
    const bytes = Number(headers['Content-Length'])
    const job = request.headers[jobHeader]
    if (role === 'worker' && typeof job === 'string' && statusCode < 300) {
      const [machine, name] = await Promise.all([machineOf(job, asker), nameOf(job, digest)])
      const startedAt = performance.now()
      reply.raw.once('finish', () => emit({ machine, hop: 'component', job, name, bytes, ms: Math.round(performance.now() - startedAt) }))
    }
    return reply.code(statusCode).headers({ ...headers, etag: `"${digest}"` }).type('application/octet-stream').send(stream)
  })
}

/** What lies under a digest never changes: neither its age nor its place on the disk tells anything about it. */
const sendOptions = { cacheControl: false, contentType: false, dotfiles: 'allow', etag: false, lastModified: false } as const
