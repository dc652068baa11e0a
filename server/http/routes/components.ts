import { performance } from 'node:perf_hooks'
import type { FastifyPluginAsync } from 'fastify'
import { digestSchema } from '../../../images/component.ts'
import { jobHeader } from '../../api/headers.ts'
import type { ComponentStore } from '../../components/component-store.ts'
import type { Emit } from '../../event-log.ts'
import type { Authorize } from '../auth.ts'
import { HttpProblem } from '../problem.ts'

export interface ComponentRoutesOptions {
  components: ComponentStore
  authorize: Authorize
  emit: Emit
  /** What the script of a job calls a component, for people. */
  nameOf: (job: string, digest: string) => Promise<string>
}

/** `GET /components/<digest>`: what the script of a job names, downloaded by the worker that performs it (B20). */
export const componentRoutes: FastifyPluginAsync<ComponentRoutesOptions> = async (app, { components, authorize, emit, nameOf }) => {
  const params = { type: 'object', properties: { digest: digestSchema }, required: ['digest'] } as const
  app.get<{ Params: { digest: string } }>('/components/:digest', { schema: { params } }, async (request, reply) => {
    const { role, name: machine } = await authorize(request, ['worker', 'operator'])
    const { digest } = request.params
    const bytes = await components.sizeBytes(digest)
    if (bytes === undefined) throw new HttpProblem(404, `no component ${digest} is kept here`)
    const job = request.headers[jobHeader]
    if (role === 'worker' && typeof job === 'string') {
      const name = await nameOf(job, digest)
      const startedAt = performance.now()
      reply.raw.once('finish', () => emit({ machine, hop: 'component', job, name, bytes, ms: Math.round(performance.now() - startedAt) }))
    }
    return reply.type('application/octet-stream').header('content-length', bytes).send(components.open(digest))
  })
}
