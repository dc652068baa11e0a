import type { FastifyPluginAsync } from 'fastify'
import { Type, type Static } from 'typebox'
import type { SessionAnswer } from '../../api/session.ts'
import type { Tokens } from '../../tokens.ts'
import { may, type Authorize } from '../auth.ts'
import { perMinute } from '../per-minute.ts'
import { HttpProblem } from '../problem.ts'
import { requireOwnPage } from '../require-own-page.ts'
import { clearSessionCookie, sessionLifeSeconds, sessionOf, setSessionCookie } from '../session-cookie.ts'

const signInSchema = Type.Object({ token: Type.String({ minLength: 1, maxLength: 200 }) }, { additionalProperties: false })

/**
 * Signing in with a browser: `POST /session` exchanges a token for a cookie, which no script can read and which stands for the token from then on;
 * `GET /session` tells who is signed in, `DELETE /session` signs out. A session ends with its token.
 */
export const sessionRoutes: FastifyPluginAsync<{ tokens: Tokens; authorize: Authorize }> = async (app, { tokens, authorize }) => {
  app.post<{ Body: Static<typeof signInSchema> }>('/session', { config: { rateLimit: perMinute(60) }, schema: { body: signInSchema } }, async (request, reply): Promise<SessionAnswer> => {
    // Nobody is to be signed in by a foreign page under a name that is not theirs.
    if (request.headers.origin !== undefined) requireOwnPage(request)
    const token = request.body.token.trim()
    const identity = await tokens.identify(token)
    request.identity = identity ?? null
    if (identity?.role === 'worker') throw new HttpProblem(403, 'token: expected that of a viewer, an operator or an admin, got that of a worker')
    const session = await tokens.createSession(token, sessionLifeSeconds)
    if (identity === undefined || session === undefined) throw new HttpProblem(401, 'token: this one is unknown or has ended; `ingot token create` makes one')
    setSessionCookie(request, reply.code(201).header('cache-control', 'no-store'), session.secret)
    return { role: identity.role, name: identity.name, expiresAt: session.expiresAt }
  })

  app.get('/session', async (request, reply): Promise<SessionAnswer> => {
    reply.header('cache-control', 'no-store')
    const { role, name } = await authorize(request, may.lookOrWork)
    const session = sessionOf(request)
    const found = request.headers.authorization === undefined && session !== undefined ? await tokens.session(session) : undefined
    return { role, name, ...(found === undefined ? {} : { expiresAt: found.expiresAt }) }
  })

  app.delete('/session', async (request, reply) => {
    const session = sessionOf(request)
    // One that is not signed in any more is signed out all the same.
    requireOwnPage(request)
    if (session !== undefined) await tokens.endSession(session)
    return clearSessionCookie(request, reply.code(204)).send()
  })
}
