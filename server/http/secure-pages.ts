import helmet from '@fastify/helmet'
import type { FastifyInstance } from 'fastify'

/**
 * Headers for pages that a browser shows, on all routes of this plugin: scripts, styles and connections of this server alone and nothing inline, so that text
 * which came from a machine or a log can never become a program (XSS), and no other page may frame them.
 */
export async function securePages(app: FastifyInstance): Promise<void> {
  await app.register(helmet, {
    contentSecurityPolicy: {
      useDefaults: false,
      directives: {
        defaultSrc: ["'none'"],
        scriptSrc: ["'self'"],
        styleSrc: ["'self'"],
        imgSrc: ["'self'", 'data:'],
        fontSrc: ["'self'"],
        connectSrc: ["'self'"],
        manifestSrc: ["'self'"],
        workerSrc: ["'self'"],
        formAction: ["'self'"],
        baseUri: ["'none'"],
        frameAncestors: ["'none'"],
      },
    },
    referrerPolicy: { policy: 'no-referrer' },
    xFrameOptions: { action: 'deny' },
    // The same names serve plain HTTP, for firmware and by choice: a browser must not be kept from it.
    strictTransportSecurity: false,
    // Browsers heed these over HTTPS and on localhost alone, and complain elsewhere.
    crossOriginOpenerPolicy: false,
    originAgentCluster: false,
  })
}
