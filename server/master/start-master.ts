import { randomUUID } from 'node:crypto'
import replyFrom from '@fastify/reply-from'
import type { Logger } from 'pino'
import { Agent } from 'undici'
import type { Run } from '../../appliance/run.ts'
import { openAuditLog } from '../audit/audit-log.ts'
import { createApp } from '../http/app.ts'
import { HttpProblem } from '../http/problem.ts'
import { auditRoutes } from '../http/routes/audit.ts'
import { authorityRoutes } from '../http/routes/authority.ts'
import { healthRoutes } from '../http/routes/health.ts'
import { metricRoutes } from '../http/routes/metrics.ts'
import { schemaRoutes } from '../http/routes/schemas.ts'
import { sessionRoutes } from '../http/routes/session.ts'
import { tokenRoutes } from '../http/routes/tokens.ts'
import { tokenAuthorize } from '../http/token-authorize.ts'
import { listenAt } from '../listen-address.ts'
import { createConnector } from '../tls/connector.ts'
import { createHttpsService, type Listening } from '../tls/https-service.ts'
import { openTls } from '../tls/open-tls.ts'
import { keepTokens } from '../tokens/keep-tokens.ts'
import { masterDownloadRoutes, masterImageDownloadRoutes } from './download-routes.ts'
import { masterEventRoutes } from './event-routes.ts'
import { linkFirstComputer, type FirstComputerLink } from './first-computer-link.ts'
import { masterImageRoutes } from './image-routes.ts'
import { createIntroductions } from './introductions.ts'
import { masterJobRoutes } from './job-routes.ts'
import { masterListRoutes } from './list-routes.ts'
import { createMasterMetrics } from './master-metrics.ts'
import { masterMachineDiskRoutes } from './machine-disk-routes.ts'
import { masterMachineRoutes } from './machine-routes.ts'
import type { MasterConfig } from './master-config.ts'
import { masterNewJobRoutes } from './new-job-routes.ts'
import { describeOutage } from './outage.ts'
import { masterTimelineRoutes } from './timeline-routes.ts'
import { viaOf } from './pass-on.ts'

/** A first computer whose host is gone says nothing at all; one that is there takes a connection at once. */
const connectLimitMs = 3000

export interface Master extends Listening {
  /** What can be asked of it, for example `GET /jobs.json`. */
  routes: readonly string[]
  close(): Promise<void>
}

/**
 * Starts a master: the HTTP face of a first computer in front of several (B19). It keeps nothing but its own credentials, so that it may be stopped and
 * started at any time. First computers that cannot be reached are waited for. Throws `IngotError` 'port-in-use' or 'config-invalid'.
 */
export async function startMaster({ config, log, run }: { config: MasterConfig; log: Logger; run: Run }): Promise<Master> {
  const pseudonym = `ingot-${randomUUID()}`
  const pins = new Map(config.firstComputers.flatMap(({ url, fingerprint }) => (fingerprint === undefined ? [] : [[new URL(url).host, fingerprint] as const])))
  const agent = new Agent({ connect: createConnector({ timeoutMs: connectLimitMs, fingerprintOf: (host) => pins.get(host) }) })
  const links = config.firstComputers.map((each) => linkFirstComputer(each, { agent, pseudonym, log }))
  const introductions = createIntroductions(links, log)
  const tokens = await keepTokens(config.dataDirectory, { log: log.child({ part: 'tokens' }) })
  const context = { links, authorize: tokenAuthorize(tokens) }

  const audit = openAuditLog(config.dataDirectory, { log: log.child({ part: 'audit' }) })
  const app = createApp({ log, audit })
  const tls = config.tls && (await openTls({ config: config.tls, dataDirectory: config.dataDirectory, address: config.listen.address, run }))
  const https = tls && createHttpsService(app, { tls, port: config.tls!.port, log: log.child({ part: 'tls' }) })
  // A master that asks itself by way of others would never have an answer (RFC 9110, 7.6.3).
  app.addHook('onRequest', async (request) => {
    if (viaOf(request)?.includes(pseudonym) === true) throw new HttpProblem(508, 'this master is behind itself: one of its first computers leads back to it')
  })
  const metrics = createMasterMetrics({ app, links, log: log.child({ part: 'metrics' }) })
  await app.register(metricRoutes, { metrics, authorize: context.authorize, open: config.openMetrics })
  await app.register(healthRoutes, { checks: { 'first computers': async () => requireOne(links) } })
  await app.register(replyFrom, { undici: agent, disableRequestLogging: true })
  await app.register(masterListRoutes, { ...context, onWorker: introductions.recall })
  await app.register(masterJobRoutes, context)
  await app.register(masterNewJobRoutes, context)
  await app.register(masterMachineRoutes, { ...context, introductions })
  await app.register(masterMachineDiskRoutes, context)
  await app.register(masterImageRoutes, context)
  await app.register(masterDownloadRoutes, context)
  await app.register(masterImageDownloadRoutes, context)
  await app.register(masterEventRoutes, context)
  await app.register(masterTimelineRoutes, context)
  await app.register(schemaRoutes)
  await app.register(authorityRoutes, { certificate: tls?.authorityCertificate })
  await app.register(sessionRoutes, { tokens, authorize: context.authorize })
  await app.register(tokenRoutes, { tokens, authorize: context.authorize })
  await app.register(auditRoutes, { dataDirectory: config.dataDirectory, authorize: context.authorize })

  const close = async (): Promise<void> => {
    for (const link of links) link.close()
    tokens.close()
    await app.close()
    await audit.close()
    await agent.destroy()
  }
  try {
    await Promise.all(links.map((link) => link.probe()))
    const listening = https === undefined ? { url: await listenAt(app, config.listen) } : await https.listen(config.listen)
    return { ...listening, routes: app.listedRoutes, close }
  } catch (error) {
    await close()
    throw error
  }
}

/** A master is of use as long as one first computer answers; throws with why none does. */
function requireOne(links: readonly FirstComputerLink[]): void {
  const outages = links.map(describeOutage)
  if (!outages.includes(undefined)) throw new Error(outages.join('; '))
}
