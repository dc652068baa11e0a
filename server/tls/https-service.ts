import { createServer, type Server } from 'node:https'
import type { FastifyInstance } from 'fastify'
import type { Logger } from 'pino'
import { limitConnections } from '../http/limit-connections.ts'
import { requireHttps } from '../http/require-https.ts'
import { listenAt, listenOn, type ListenAddress } from '../listen-address.ts'
import type { Identity } from './given-certificate.ts'
import type { Tls } from './open-tls.ts'

/** How often a server looks whether its certificate is still the right one. */
const lookEveryMs = 3_600_000
/** An emulated machine takes a second for its handshake. */
const handshakeLimitMs = 30_000

/** Where an app is reached. */
export interface Listening {
  /** By plain HTTP, for example `http://10.77.0.1:8080`. */
  url: string
  /** Where there is TLS, for example `https://10.77.0.1:8443`. */
  https?: { url: string; fingerprint: string }
}

export interface HttpsServiceOptions {
  tls: Tls
  port: number
  log: Logger
}

/** The same app by HTTPS too. */
export interface HttpsService {
  readonly fingerprint: string
  /** Where it is listening. */
  readonly port: number
  /** Lets the app listen by plain HTTP and by HTTPS; it stops with the app. Throws as `listenAt` does. */
  listen(at: ListenAddress): Promise<Listening>
  /** Shows another certificate from now on, if it is time. A failure is in the log, and the old one stays. */
  renew(): Promise<void>
}

const optionsOf = ({ certificate, key }: Identity) => ({
  cert: certificate,
  key,
  minVersion: 'TLSv1.3' as const,
  // The client knows what its processor is good at.
  honorCipherOrder: false,
  handshakeTimeout: handshakeLimitMs,
})

/** Serves an app by HTTPS as well, and from then on refuses credentials that come by plain HTTP from other hosts. Called before the routes are registered. */
export function createHttpsService(app: FastifyInstance, { tls, port, log }: HttpsServiceOptions): HttpsService {
  let server: Server | undefined
  let shown: Identity | undefined
  const service: HttpsService = {
    fingerprint: tls.fingerprint,
    get port() {
      const bound = server?.address()
      return typeof bound === 'object' && bound !== null ? bound.port : port
    },
    async listen(at) {
      shown = await tls.identity()
      server = serveAlso(app, shown)
      const timer = setInterval(() => void service.renew(), lookEveryMs).unref()
      app.addHook('preClose', async () => {
        clearInterval(timer)
        server?.close()
        server?.closeAllConnections()
      })
      const url = await listenAt(app, at)
      await listenOn(server, { address: at.address, port }, 'tls.port')
      return { url, https: { url: url.replace(/^http:(.*):\d+$/, `https:$1:${service.port}`), fingerprint: tls.fingerprint } }
    },
    async renew() {
      try {
        const identity = await tls.identity()
        if (identity.certificate === shown?.certificate) return
        server?.setSecureContext(optionsOf(identity))
        shown = identity
        log.info('another certificate is shown from now on')
      } catch (error) {
        log.error({ reason: (error as Error).message }, 'the certificate cannot be renewed; the old one is shown on')
      }
    },
  }
  requireHttps(app, { httpsPort: () => service.port })
  return service
}

/** Fastify has one server; whatever comes to this one, it handles too. */
function serveAlso(app: FastifyInstance, identity: Identity): Server {
  const { keepAliveTimeout, headersTimeout, requestTimeout } = app.server
  const server = createServer({ ...optionsOf(identity), keepAliveTimeout, headersTimeout, requestTimeout })
  for (const event of ['request', 'clientError']) server.on(event, (...args: unknown[]) => app.server.emit(event, ...args))
  limitConnections(server)
  return server
}
