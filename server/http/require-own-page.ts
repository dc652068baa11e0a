import type { FastifyRequest } from 'fastify'
import { HttpProblem } from './problem.ts'

/** Methods that change nothing (RFC 9110, 9.2.1). */
const safe: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS'])

/**
 * Refuses with 403 what a page of another site makes a browser send in the name of its user (CSRF). What changes something must say that it comes from a
 * page of this server: by `Origin`, which browsers send with each such request, and by `Sec-Fetch-Site` where they send it (over HTTPS and on localhost
 * alone). Its body must be JSON, which no form can send.
 */
export function requireOwnPage(request: FastifyRequest): void {
  const { origin, 'sec-fetch-site': site, 'content-type': type } = request.headers
  const refuse = (what: string): never => {
    throw new HttpProblem(403, `a request of a signed-in browser must come from a page of this server: ${what}`)
  }
  // A link that the user followed from elsewhere shows a page and is no harm, but SameSite=Strict keeps the cookie back already.
  if (site === 'cross-site' || site === 'same-site') refuse(`header Sec-Fetch-Site: expected same-origin, got ${site}`)
  if (safe.has(request.method)) return
  const own = `${request.protocol}://${request.host}`
  // A proxy in front may speak HTTPS where this server does not.
  if (origin !== own && origin !== `https://${request.host}`) refuse(`header Origin: expected ${own}, got ${origin ?? 'none'}`)
  const hasBody = request.headers['content-length'] !== undefined ? request.headers['content-length'] !== '0' : request.headers['transfer-encoding'] !== undefined
  if (hasBody && !/^application\/json\b/i.test(type ?? '')) refuse(`header Content-Type: expected application/json, got ${type ?? 'none'}`)
}
