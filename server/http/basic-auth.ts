import type { FastifyInstance } from 'fastify'

/** Registry clients send the credential as the password of Basic (RFC 7617), the rest of Ingot as Bearer: from here on it is that. */
export function asBearer(header: string | undefined): string | undefined {
  const basic = /^Basic ([A-Za-z0-9+/=]+)$/i.exec(header ?? '')?.[1]
  if (basic === undefined) return header
  const pair = Buffer.from(basic, 'base64').toString()
  return `Bearer ${pair.slice(pair.indexOf(':') + 1)}`
}

/** Takes the credential as the password of Basic too, as browsers, curl and wget send it once they are asked to: on all routes of this plugin. */
export function acceptBasicAuth(app: FastifyInstance): void {
  app.addHook('onRequest', async (request) => {
    request.headers.authorization = asBearer(request.headers.authorization)
  })
  app.addHook('onSend', async (_request, reply) => {
    if (reply.statusCode === 401) reply.header('www-authenticate', 'Basic realm="Ingot", charset="UTF-8"')
  })
}
