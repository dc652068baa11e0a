import type { FastifyRequest } from 'fastify'
import type { Tokens } from '../tokens.ts'
import type { Authorize, Identity } from './auth.ts'
import { HttpProblem } from './problem.ts'
import { requireOwnPage } from './require-own-page.ts'
import { sessionOf } from './session-cookie.ts'

/** Tells whether a machine holds a job that it took before a moment, for example `2026-11-23T21:20:01.123Z`. */
export type HoldsJob = (machine: string, before: string) => Promise<boolean>

/**
 * Checks requests against the credentials and sessions of the data directory. A machine that booted anew has lost what it was doing, but for whoever only says
 * that they are this machine: a job in force keeps the credential that it was taken with.
 */
export const tokenAuthorize =
  (tokens: Tokens, holdsJob: HoldsJob = async () => false): Authorize =>
  async (request, allowed) => {
    const identity = await identify(request, tokens)
    request.identity = identity
    const { supersededAt } = identity
    if (supersededAt !== undefined && !(await holdsJob(identity.name, supersededAt))) {
      throw new HttpProblem(401, `header Authorization: this credential is of an earlier boot of ${identity.name}, which was given another at ${supersededAt}`)
    }
    if (identity.role !== 'admin' && !allowed.includes(identity.role)) {
      throw new HttpProblem(403, `this needs the role ${allowed.join(' or ')}; the credential '${identity.name}' has the role ${identity.role}`)
    }
    return identity
  }

async function identify(request: FastifyRequest, tokens: Tokens): Promise<Identity> {
  const { authorization } = request.headers
  const session = sessionOf(request)
  if (authorization === undefined && session !== undefined) {
    requireOwnPage(request)
    const found = await tokens.session(session)
    if (found === undefined) throw new HttpProblem(401, 'this session is unknown or has ended; sign in again')
    return found.identity
  }
  const credential = /^Bearer ([A-Za-z0-9_-]{1,200})$/.exec(authorization ?? '')?.[1]
  if (credential === undefined) throw new HttpProblem(401, 'header Authorization: expected `Bearer` and a credential')
  const identity = await tokens.identify(credential)
  if (identity === undefined) throw new HttpProblem(401, 'header Authorization: this credential is unknown or has ended')
  return identity
}
