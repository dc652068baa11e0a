import type { FastifyPluginAsync } from 'fastify'
import { HttpProblem } from '../problem.ts'

/** By name what a server needs to do its work: each throws when it is not there. */
export type ReadinessChecks = Readonly<Record<string, () => Promise<unknown>>>

/** A load balancer asks every few seconds: what it waits for longer than this is not there. */
const checkLimitMs = 5000
/** However many ask, no check is made more often than this. */
const freshMs = 1000

/**
 * `GET /healthz`: the process answers. `GET /readyz`: it can also do its work, or 503 with all that keeps it from that. Open to everyone, and therefore
 * without the messages of errors, which are in the log.
 */
export const healthRoutes: FastifyPluginAsync<{ checks: ReadinessChecks }> = async (app, { checks }) => {
  app.get('/healthz', async (_, reply) => reply.header('cache-control', 'no-store').send({ status: 'up' }))

  const findMissing = async (): Promise<string[]> => {
    const outcomes = await Promise.all(
      Object.entries(checks).map(async ([name, check]) => {
        try {
          await Promise.race([check(), afterLimit()])
          return undefined
        } catch (error) {
          app.log.warn({ err: error, check: name }, 'not ready')
          return name
        }
      }),
    )
    return outcomes.filter((name) => name !== undefined)
  }
  let last: { atMs: number; missing: Promise<string[]> } | undefined
  app.get('/readyz', async (_, reply) => {
    reply.header('cache-control', 'no-store')
    const nowMs = performance.now()
    if (last === undefined || nowMs - last.atMs > freshMs) last = { atMs: nowMs, missing: findMissing() }
    const missing = await last.missing
    if (missing.length > 0) throw new HttpProblem(503, 'not ready', missing.map((name) => `${name}: not there; the log of the server tells why`))
    return { status: 'ready', checks: Object.keys(checks) }
  })
}

const afterLimit = (): Promise<never> =>
  new Promise((_, reject) => setTimeout(() => reject(new Error(`no answer within ${checkLimitMs} ms`)), checkLimitMs).unref())
