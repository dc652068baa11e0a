import type { FastifyReply, FastifyRequest } from 'fastify'

/** How long a browser stays signed in: a long day. */
export const sessionLifeSeconds = 12 * 3600

const isEncrypted = ({ protocol }: FastifyRequest): boolean => protocol === 'https'

/** Cookies do not tell ports apart, so that the session of HTTPS has a name that plain HTTP can neither set nor read (RFC 6265bis, 4.1.3.2). */
const nameFor = (request: FastifyRequest): string => (isEncrypted(request) ? '__Host-ingot-session' : 'ingot-session')

/** No script reads it, and no other site's page sends it. */
const optionsFor = (request: FastifyRequest) => ({ path: '/', httpOnly: true, sameSite: 'strict', secure: isEncrypted(request) }) as const

export const sessionOf = (request: FastifyRequest): string | undefined => request.cookies[nameFor(request)]

export const setSessionCookie = (request: FastifyRequest, reply: FastifyReply, session: string): FastifyReply =>
  reply.setCookie(nameFor(request), session, { ...optionsFor(request), maxAge: sessionLifeSeconds })

export const clearSessionCookie = (request: FastifyRequest, reply: FastifyReply): FastifyReply => reply.clearCookie(nameFor(request), optionsFor(request))
