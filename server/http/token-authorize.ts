import type { FastifyRequest } from 'fastify'
import type { Tokens } from '../tokens.ts'
import type { Authorize, Identity } from './auth.ts'
import { HttpProblem } from './problem.ts'
import { requireOwnPage } from './require-own-page.ts'
import { sessionOf } from './session-cookie.ts'

/** Checks requests against the credentials and sessions of the data directory. */
export const tokenAuthorize =
  (tokens: Tokens): Authorize =>
  async (request, allowed) => {
    const identity = await identify(request, tokens)
    request.identity = identity
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
