import type { Socket } from 'node:net'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { ipv4Of } from './ipv4-of.ts'
import { HttpProblem } from './problem.ts'

/** Whether nobody between can read what is said: it never leaves this host. */
function staysHere({ remoteAddress = '', localAddress }: Socket): boolean {
  const from = ipv4Of(remoteAddress)
  return from.startsWith('127.') || from === '::1' || (localAddress !== undefined && from === ipv4Of(localAddress))
}

/** Bodies that are a secret: a ticket, and a token that somebody signs in with. */
const secretBodies: ReadonlySet<string> = new Set(['/credentials', '/session'])

const hasSecret = ({ method, url, headers }: FastifyRequest): boolean =>
  headers.authorization !== undefined || /(^|;\s*)ingot-session=/.test(headers.cookie ?? '') || (method === 'POST' && secretBodies.has(url))

/**
 * Refuses with 403 what comes by plain HTTP from another host and holds a credential, which others could have read, and says where to ask; a browser that
 * wants the console is sent there. What needs no credential, such as what firmware and apt fetch, is answered as ever.
 */
export function requireHttps(app: FastifyInstance, { httpsPort }: { httpsPort: () => number }): void {
  app.addHook('onRequest', async (request, reply) => {
    const { socket } = request.raw
    if (request.protocol === 'https' || staysHere(socket)) return
    const url = `https://${request.hostname === '' ? socket.localAddress : request.hostname}:${httpsPort()}`
    if (request.method === 'GET' && request.url === '/') return reply.redirect(`${url}/`, 307)
    if (hasSecret(request)) throw new HttpProblem(403, `a credential must not travel where others can read it: expected it by HTTPS, at ${url}, got it by plain HTTP`)
    return undefined
  })
}
