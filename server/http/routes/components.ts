import type { FastifyPluginAsync } from 'fastify'
import { digestSchema } from '../../../images/component.ts'
import type { ComponentStore } from '../../components/component-store.ts'
import type { Authorize } from '../auth.ts'
import { HttpProblem } from '../problem.ts'

/** `GET /components/<digest>`: what the script of a job names, downloaded by the worker that performs it (B20). */
export const componentRoutes: FastifyPluginAsync<{ components: ComponentStore; authorize: Authorize }> = async (app, { components, authorize }) => {
  const params = { type: 'object', properties: { digest: digestSchema }, required: ['digest'] } as const
  app.get<{ Params: { digest: string } }>('/components/:digest', { schema: { params } }, async (request, reply) => {
    await authorize(request, ['worker', 'operator'])
    const { digest } = request.params
    const sizeBytes = await components.sizeBytes(digest)
    if (sizeBytes === undefined) throw new HttpProblem(404, `no component ${digest} is kept here`)
    return reply.type('application/octet-stream').header('content-length', sizeBytes).send(components.open(digest))
  })
}
