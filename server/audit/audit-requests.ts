import type { FastifyInstance, FastifyRequest } from 'fastify'
import { sessionOf } from '../http/session-cookie.ts'
import { wasRefused, type AuditLog } from './audit-log.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /** What a change was about, where its path does not tell: it is written down behind it. */
    audited: string | null
  }
}

/** Methods that change nothing (RFC 9110, 9.2.1). */
const safe: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS'])

/**
 * Writes down what people and scripts change, who signs in and out, which machines are given a credential, and what was refused for want of a right. What
 * workers do in their jobs is told by events.
 */
export function auditRequests(app: FastifyInstance, audit: AuditLog): void {
  app.addHook('onResponse', async (request, { statusCode }) => {
    const isRefusal = wasRefused({ status: statusCode })
    const isChange = !safe.has(request.method) && (request.identity?.role !== 'worker' || request.routeOptions.url === '/credentials')
    if (!isRefusal && !isChange) return
    const object = [request.url.split('?')[0], request.audited].filter((part) => part !== null).join(' ')
    audit.write({ ...askerOf(request), method: request.method, object, status: statusCode, address: request.ip })
  })
}

function askerOf(request: FastifyRequest): Pick<Parameters<AuditLog['write']>[0], 'name' | 'role' | 'session'> {
  if (request.identity === null) return {}
  const { name, role } = request.identity
  return { name, role, ...(request.headers.authorization === undefined && sessionOf(request) !== undefined ? { session: true } : {}) }
}
