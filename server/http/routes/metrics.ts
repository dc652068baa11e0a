import type { FastifyPluginAsync } from 'fastify'
import type { Metrics } from '../../metrics/create-metrics.ts'
import { may, type Authorize } from '../auth.ts'

export interface MetricRoutesOptions {
  metrics: Pick<Metrics, 'render'>
  authorize: Authorize
  /** Whether they are told without a credential. */
  open: boolean
}

/** `GET /metrics`: for Prometheus, whose `authorization.credentials_file` holds a token. */
export const metricRoutes: FastifyPluginAsync<MetricRoutesOptions> = async (app, { metrics, authorize, open }) => {
  app.get('/metrics', async (request, reply) => {
    if (!open) await authorize(request, may.look)
    const { contentType, text } = await metrics.render()
    return reply.type(contentType).header('cache-control', 'no-store').send(text)
  })
}
