import type { FastifyInstance } from 'fastify'
import { Histogram, type Registry } from 'prom-client'

/** From an answer out of memory to a new job, whose root filesystem is built first, in seconds. */
const buckets = [0.001, 0.005, 0.02, 0.1, 0.5, 2, 10, 60, 600]

const claimResults: Readonly<Record<number, string>> = { 201: 'claimed', 200: 'same', 412: 'taken' }

/**
 * Measures how long the requests of an app take, by route, and claims by how they end. For routes registered afterwards. What waits on purpose, such as
 * `GET /events`, is among them: its route tells.
 */
export function observeRequests(app: FastifyInstance, registry: Registry): void {
  const registers = [registry]
  const requests = new Histogram({ name: 'ingot_http_request_duration_seconds', help: 'Time to answer a request, its body included', labelNames: ['method', 'route', 'status'] as const, buckets, registers })
  const claims = new Histogram({ name: 'ingot_claim_duration_seconds', help: 'Time to answer a claim: claimed, same (asked again), taken (by another) or refused', labelNames: ['result'] as const, buckets, registers })

  app.addHook('onResponse', async (request, reply) => {
    const { method } = request
    const { url: route = 'none' } = request.routeOptions
    const seconds = reply.elapsedTime / 1000
    requests.observe({ method, route, status: reply.statusCode }, seconds)
    if (method === 'PUT' && route === '/status/:id.json' && request.headers['if-none-match'] !== undefined) claims.observe({ result: claimResults[reply.statusCode] ?? 'refused' }, seconds)
  })
}
