import { randomUUID } from 'node:crypto'
import cookie from '@fastify/cookie'
import rateLimit from '@fastify/rate-limit'
import Fastify, { type FastifyError, type FastifyInstance } from 'fastify'
import type { Logger } from 'pino'
import { faultsOf, renderFault } from '../../images/fault.ts'
import type { AuditLog } from '../audit/audit-log.ts'
import { auditRequests } from '../audit/audit-requests.ts'
import { IngotError, errorCodes, type ErrorCode } from '../errors.ts'
import { describeApi } from './openapi/api-document.ts'
import { limitConnections } from './limit-connections.ts'
import { HttpProblem, renderProblemDetails } from './problem.ts'
import { tagAnswers } from './tag-answers.ts'

declare module 'fastify' {
  interface FastifyInstance {
    /** Every route with its method, for example `GET /jobs.json`, as they are registered. */
    listedRoutes: readonly string[]
  }
}

/**
 * An HTTP server without routes: request validation as strict as our files (nothing coerced, nothing silently removed), and every refusal
 * as problem details (RFC 9457) that name the field.
 */
export function createApp({ log, audit }: { log: Logger; audit?: AuditLog }): FastifyInstance {
  const app = Fastify({
    loggerInstance: log.child({ part: 'http' }, { level: log.level === 'info' ? 'warn' : log.level }),
    genReqId: () => randomUUID(),
    bodyLimit: 1024 * 1024,
    // Uploads of a slow machine are slow, and a new job is answered when all it needs is built.
    requestTimeout: 0,
    connectionTimeout: 0,
    forceCloseConnections: true,
    // shim asks for `//grubx64.efi` beside its own path, and does not follow a redirect (smee #229).
    routerOptions: { ignoreDuplicateSlashes: true },
    ajv: { customOptions: { removeAdditional: false, coerceTypes: false, useDefaults: false, allErrors: true, verbose: true } },
    schemaErrorFormatter: (errors, part) =>
      new HttpProblem(400, `the ${part} of the request is not as expected`, faultsOf(errors as never).map(renderFault)) as never,
  }) as unknown as FastifyInstance

  const routes: string[] = []
  app.addHook('onRoute', ({ method, url }) => void routes.push(...[method].flat().map((each) => `${each} ${url}`)))
  app.decorate('listedRoutes', routes)
  void app.register(cookie)
  // Only where a route says so: workers and uploads ask as often as they need.
  void app.register(rateLimit, { global: false, errorResponseBuilder: (_request, { after }) => new HttpProblem(429, `too many requests from this address; ask again in ${after}`) })
  limitConnections(app.server)
  describeApi(app)
  tagAnswers(app)
  app.decorateRequest('identity', null)
  app.decorateRequest('audited', null)
  if (audit !== undefined) auditRequests(app, audit)
  // What a machine or a log says is never taken for a page of ours, whatever it looks like.
  app.addHook('onRequest', async (_request, reply) => void reply.header('x-content-type-options', 'nosniff'))

  app.setErrorHandler((error: FastifyError | Error, request, reply) => {
    const { status, title, problems } = refusal(error)
    if (status >= 500) request.log.error({ err: error }, 'request failed')
    return reply.code(status).type('application/problem+json').send(renderProblemDetails({ status, title, problems }, request.id))
  })
  app.setNotFoundHandler((request, reply) =>
    reply
      .code(404)
      .type('application/problem+json')
      .send(renderProblemDetails({ status: 404, title: `nothing is at ${request.method} ${request.url}` }, request.id)),
  )
  return app
}

/**
 * A full disk has a status of its own (RFC 4918, 11.5): whoever frees space need not look at anything else. What is away now may be asked again
 * (RFC 9110, 15.6.4).
 */
const ownStatus: Partial<Record<ErrorCode, number>> = { 'storage-full': 507, 'store-unreachable': 503 }
const statusOf = (code: ErrorCode): number => ownStatus[code] ?? (errorCodes[code] === 'user' ? 400 : 500)

function refusal(error: FastifyError | Error): { status: number; title: string; problems: readonly string[] } {
  if (error instanceof HttpProblem) return { status: error.status, title: error.message, problems: error.problems }
  if (error instanceof IngotError) return { status: statusOf(error.code), title: error.message, problems: error.problems }
  const status = 'statusCode' in error && error.statusCode !== undefined ? error.statusCode : 500
  // What went wrong inside is in the log, under the id that the answer carries, and no business of the one who asked.
  return { status, title: status < 500 ? error.message : 'something went wrong inside; the log of the server tells what', problems: [] }
}
