import type { Tokens } from '../tokens.ts'
import type { Authorize } from './auth.ts'
import { HttpProblem } from './problem.ts'

/** Checks requests against the credentials of the data directory. */
export const tokenAuthorize =
  (tokens: Tokens): Authorize =>
  async (request, allowed) => {
    const credential = /^Bearer ([A-Za-z0-9_-]+)$/.exec(request.headers.authorization ?? '')?.[1]
    if (credential === undefined) throw new HttpProblem(401, 'header Authorization: expected `Bearer` and a credential')
    const identity = await tokens.identify(credential)
    if (identity === undefined) throw new HttpProblem(401, 'header Authorization: this credential is unknown or has ended')
    if (identity.role !== 'admin' && !allowed.includes(identity.role)) {
      throw new HttpProblem(403, `this needs the role ${allowed.join(' or ')}; the credential '${identity.name}' has the role ${identity.role}`)
    }
    return identity
  }
