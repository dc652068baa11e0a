import { createReadStream } from 'node:fs'
import { access, constants } from 'node:fs/promises'
import { join } from 'node:path'
import type { Logger } from 'pino'
import { loadAppliance, readAppliance, type Appliance } from '../appliance/os/load-appliance.ts'
import type { Run, Start } from '../appliance/run.ts'
import { componentsOf } from '../images/components-of.ts'
import type { Plan } from '../images/plan.ts'
import { withJobDefaults } from './api/job.ts'
import { factsOf } from './attest/build-facts.ts'
import { createAttestor, repositoryAt } from './attest/create-attestor.ts'
import { openSigningKey } from './attest/signing-key.ts'
import { createComponentStore } from './components/component-store.ts'
import { createEnsureRootfs } from './components/ensure-rootfs.ts'
import { createRecipeStore } from './components/recipe-store.ts'
import { planBuild } from './components/plan-build.ts'
import { openAuditLog } from './audit/audit-log.ts'
import { createAdmission } from './admission.ts'
import type { Config } from './config.ts'
import { openEventLog } from './event-log.ts'
import { IngotError } from './errors.ts'
import { createApp } from './http/app.ts'
import { may } from './http/auth.ts'
import { HttpProblem } from './http/problem.ts'
import { auditRoutes } from './http/routes/audit.ts'
import { authorityRoutes } from './http/routes/authority.ts'
import { componentRoutes } from './http/routes/components.ts'
import { consoleRoutes } from './http/routes/console.ts'
import { eventRoutes } from './http/routes/events.ts'
import { claimOf, jobOf } from './http/claim-of.ts'
import { machineOf } from './http/machine-of.ts'
import { healthRoutes } from './http/routes/health.ts'
import { imageDetailRoutes } from './http/routes/image-details.ts'
import { imageDownloadRoutes } from './http/routes/image-downloads.ts'
import { jobRoutes } from './http/routes/jobs.ts'
import { machineDiskRoutes } from './http/routes/machine-disks.ts'
import { machineRoutes } from './http/routes/machines.ts'
import { metricRoutes } from './http/routes/metrics.ts'
import { ociRoutes } from './http/routes/oci.ts'
import { overviewRoutes } from './http/routes/overview.ts'
import { timelineRoutes } from './http/routes/timelines.ts'
import { recipeRoutes } from './http/routes/recipes.ts'
import { sessionRoutes } from './http/routes/session.ts'
import { tokenRoutes } from './http/routes/tokens.ts'
import { signingKeyRoutes } from './http/routes/signing-key.ts'
import { tokenAuthorize } from './http/token-authorize.ts'
import { openConfiguredImages } from './image-store/images-config.ts'
import { startUpkeep } from './image-store/start-upkeep.ts'
import { createJobId } from './jobs/create-job-id.ts'
import { startDynamicLists, type DynamicLists } from './jobs/dynamic/start-dynamic-lists.ts'
import { openFileJobStore } from './jobs/file-job-store.ts'
import { createUseOf } from './jobs/deployed-images.ts'
import { createFindDiskTarget } from './jobs/find-disk-target.ts'
import type { Work } from './jobs/job-plans.ts'
import { createJobService } from './jobs/job-service.ts'
import { planDeployJob } from './jobs/plan-deploy-job.ts'
import { plannedSnapshots } from './jobs/planned-snapshots.ts'
import { openPostgresJobStore } from './jobs/postgres/open-postgres-job-store.ts'
import { listenAt, localUrl } from './listen-address.ts'
import { openMachineConsoles } from './machine-consoles.ts'
import { openMachineStore } from './machine-store.ts'
import { createFirstComputerMetrics } from './metrics/first-computer-metrics.ts'
import { ownRecipes } from './own-recipes.ts'
import { openBootServices } from './netboot/open-boot-services.ts'
import { createOverview } from './overview/create-overview.ts'
import { packageRoutes } from './packages/package-routes.ts'
import { createProver } from './prove/create-prover.ts'
import { dropAbandonedProofs } from './prove/drop-abandoned-proofs.ts'
import { createReceiveImage } from './prove/receive-image.ts'
import { startProofs } from './prove/start-proofs.ts'
import { openMachineHistories } from './timeline/machine-histories.ts'
import { createHttpsService, type Listening } from './tls/https-service.ts'
import { openTls } from './tls/open-tls.ts'
import { workerServers, type ReachedAt } from './tls/worker-servers.ts'
import { keepTokens } from './tokens/keep-tokens.ts'
import { version } from './version.ts'
import { startWebhooks } from './webhooks/start-webhooks.ts'
import { readWebhooks } from './webhooks/webhook-config.ts'
import { buildConsole } from './web/build-console.ts'

export interface FirstComputer extends Listening {
  /** What can be asked of it, for example `GET /jobs.json`. */
  routes: readonly string[]
  close(): Promise<void>
}

/**
 * Starts a first computer: its HTTP services and, where the configuration says so, the boot services. Throws `IngotError`: 'port-in-use',
 * 'host-lacks' (no appliance to boot, no boot files), 'data-invalid'.
 */
export async function startFirstComputer({ config, log, run, start }: { config: Config; log: Logger; run: Run; start: Start }): Promise<FirstComputer> {
  const { dataDirectory, listen } = config
  const appliance = config.netboot === undefined ? undefined : await loadAppliance(config.applianceDirectory)
  const configuredWebhooks = await readWebhooks(config.webhooks)
  const events = openEventLog(dataDirectory, { bootsPerMachine: config.keptBoots, log: log.child({ part: 'events' }) })
  const { emit } = events
  const tokens = await keepTokens(dataDirectory, { log: log.child({ part: 'tokens' }) })
  // The list is opened later, and by what checks its requests.
  const authorize = tokenAuthorize(tokens, (machine, before) => jobs.holdsSince(machine, before))
  const machines = openMachineStore(dataDirectory)
  const admission = createAdmission({ machines, tokens, policy: config.admit, emit, log: log.child({ part: 'machines' }) })
  const signingKey = await openSigningKey(dataDirectory)
  const reachedAt = config.netboot === undefined ? [] : [config.netboot.address]
  const tls = config.tls && (await openTls({ config: config.tls, dataDirectory, address: listen.address, reachedAt, run }))
  const components = createComponentStore(join(dataDirectory, 'components'))
  const { store: images, layout } = await openConfiguredImages(config.images, dataDirectory, { useOf: (version) => createUseOf(store)(version) })
  const recipeDirectories = [ownRecipes, ...config.recipeDirectories]
  const recipes = createRecipeStore(recipeDirectories)
  // mmdebstrap runs here, and asks this server itself.
  let ownUrl = localUrl(listen)

  const loadedAppliance = async (): Promise<Appliance> => appliance ?? loadAppliance(config.applianceDirectory)
  const applianceDigest = async () => (await loadedAppliance()).stage2Digest
  const keepTools = async () => {
    const { toolsPath, toolsDigest, toolsSizeBytes } = await loadedAppliance()
    if ((await components.sizeBytes(toolsDigest)) === undefined) await components.add('tools', createReadStream(toolsPath))
    return { name: 'tools', digest: toolsDigest, sizeBytes: toolsSizeBytes }
  }
  const ensureRootfs = createEnsureRootfs({
    directory: join(dataDirectory, 'components', 'rootfs'),
    // Read at each build: with port 0 the address is known only once we listen.
    get packagesUrl() {
      return `${ownUrl}/packages`
    },
    store: components,
    run,
    fetch,
  })
  const makePlan = async ({ recipe = '', cache = true, pinned, deploy }: Work): Promise<Plan> => {
    if (deploy !== undefined) return planDeployJob(deploy, images, keepTools)
    const onProgress = (line: string) => log.info({ recipe, line }, 'preparing')
    const build = { recipe, cache, ...(pinned === undefined ? {} : { pinned }) }
    return planBuild(build, { recipes, images, store: components, ensureRootfs, keepTools, applianceDigest, packagesUrl: `${ownUrl}/packages`, fetch, onProgress })
  }

  const jobLog = log.child({ part: 'jobs' })
  const store = config.databaseUrl === undefined ? await openFileJobStore(dataDirectory, { log: jobLog }) : await openPostgresJobStore({ url: config.databaseUrl, log: jobLog })
  const publishedDigest = async (image: string, version: string): Promise<string | undefined> => {
    try {
      return (await images.resolve(image, version)).digest
    } catch (error) {
      if (error instanceof IngotError && error.code === 'image-unknown') return undefined
      throw error
    }
  }
  // Those who share a directory share its components; those who share only a database do not.
  const hasComponents = async (plan: Plan): Promise<boolean> => {
    if (config.databaseUrl === undefined) return true
    const sizes = await Promise.all(componentsOf(plan).map(({ digest }) => components.sizeBytes(digest)))
    return sizes.every((size) => size !== undefined)
  }
  const jobs = createJobService({ store, makePlan, emit, machines, hasComponents, onClaimed: machines.release, publishedDigest, log: jobLog })
  const upkeep =
    layout &&
    startUpkeep({
      store: layout,
      rules: config.images,
      // A job may count on chunks that it asked for when it began, however long it takes.
      oldestUpload: async () => {
        const claimed = (await store.held()).flatMap(({ status }) => (status === undefined ? [] : [Date.parse(status.claimedAt)]))
        return claimed.length === 0 ? undefined : new Date(Math.min(...claimed))
      },
      neededSnapshots: () => plannedSnapshots(store),
      provingDigests: async () => new Set((await store.proving()).flatMap(({ status }) => status?.imageDigest ?? [])),
      log: log.child({ part: 'images' }),
    })
  // What fails is in the log, and is tried again within a day.
  const lookAfterImages = (thorough: boolean): void => void upkeep?.run({ thorough }).catch(() => {})
  const attestor = createAttestor({
    registry: images.registry,
    key: signingKey,
    tool: { name: 'ingot', version },
    repositoryOf: (name) => repositoryAt(config.images.registry?.url ?? ownUrl, name),
  })
  const proofDirectory = join(dataDirectory, 'proofs')
  await dropAbandonedProofs(proofDirectory, jobs.proving)
  const proofs = startProofs({
    jobs: jobs.proving,
    images,
    attest: (image, built) => attestor.attest(image, factsOf(built)),
    prove: createProver({ images, directory: proofDirectory, secureBoot: config.proof.secureBoot, run, start }),
    // Those who share only a database have their images each for themselves.
    mayBeElsewhere: config.databaseUrl !== undefined && config.images.registry === undefined,
    atOnce: config.proof.atOnce,
    onPublished: () => lookAfterImages(false),
    log: log.child({ part: 'proofs' }),
  })
  const histories = openMachineHistories(dataDirectory)
  const overview = createOverview({ jobs, machines, events, histories, log: log.child({ part: 'overview' }) })
  const receiveImage = createReceiveImage({ jobs, proofs, emit })
  const audit = openAuditLog(dataDirectory, { log: log.child({ part: 'audit' }) })
  const app = createApp({ log, audit })
  const https = tls && createHttpsService(app, { tls, port: config.tls!.port, log: log.child({ part: 'tls' }) })
  // As machines reach this server.
  const reached = (): ReachedAt => {
    const host = config.netboot?.address ?? new URL(ownUrl).hostname
    return { url: `http://${host}:${new URL(ownUrl).port}`, ...(https === undefined ? {} : { https: { url: `https://${host}:${https.port}`, fingerprint: https.fingerprint } }) }
  }
  const metrics = createFirstComputerMetrics({ app, events, jobs, machines, log: log.child({ part: 'metrics' }) })
  const webhooks = await startWebhooks({ webhooks: configuredWebhooks, events, dataDirectory, metrics, log: log.child({ part: 'webhooks' }) })
  await app.register(metricRoutes, { metrics, authorize, open: config.openMetrics })
  await app.register(healthRoutes, {
    checks: {
      'data directory': () => access(dataDirectory, constants.W_OK),
      'job list': () => store.read('readyz'),
      'image store': () => images.registry.read('readyz', 'readyz'),
      ...(appliance === undefined ? {} : { appliance: () => readAppliance(appliance.directory, true) }),
    },
  })
  await app.register(jobRoutes, {
    jobs,
    authorize,
    emit,
    createJob: async (wanted, place) => {
      const job = withJobDefaults({ id: createJobId(wanted), ...wanted, createdAt: new Date().toISOString() })
      await jobs.add(job, place)
      return job
    },
  })
  let machineAt: (ipv4: string) => string | undefined = () => undefined
  await app.register(machineRoutes, { machines, consoles: openMachineConsoles(dataDirectory), admission, tokens, authorize, emit, machineAt: (ipv4) => machineAt(ipv4), servers: () => workerServers(config.servers, reached()) })
  await app.register(sessionRoutes, { tokens, authorize })
  await app.register(tokenRoutes, { tokens, authorize })
  await app.register(auditRoutes, { dataDirectory, authorize })
  await app.register(machineDiskRoutes, { machines, authorize, findTarget: createFindDiskTarget({ recipes, images, planOf: jobs.plan }) })
  await app.register(eventRoutes, { events, authorize })
  await app.register(overviewRoutes, { overview, authorize })
  await app.register(consoleRoutes, { build: buildConsole })
  await app.register(timelineRoutes, { histories, events, authorize })
  await app.register(recipeRoutes, { recipes, authorize })
  await app.register(signingKeyRoutes, { publicKey: signingKey.publicKey })
  await app.register(authorityRoutes, { certificate: tls?.authorityCertificate })
  await app.register(componentRoutes, {
    components,
    authorize,
    emit,
    async neededBy(request, asker, digest) {
      const job = jobOf(request)
      await jobs.mayRead(job, claimOf(request))
      const name = componentsOf(await jobs.plan(job)).find((each) => each.digest === digest)?.name
      if (name === undefined) throw new HttpProblem(404, `the script of job '${job}' names no component ${digest}`)
      return { job, name, machine: await machineOf(jobs, job, asker) }
    },
  })
  await app.register(packageRoutes, { mirrors: config.mirrors, cacheDirectory: join(dataDirectory, 'packages'), log: log.child({ part: 'packages' }) })
  await app.register(imageDetailRoutes, { store: images, publicKey: signingKey.publicKey, authorize })
  await app.register(imageDownloadRoutes, { store: images, authorize })
  await app.register(ociRoutes, {
    store: images,
    authorize,
    mayPull: (request, name) => jobs.mayPull(jobOf(request), name, claimOf(request)),
    async mayPublish(request, name, version) {
      const { role } = await authorize(request, may.changeOrWork)
      if (role === 'worker') await jobs.mayPublish(jobOf(request), name, version, claimOf(request))
    },
    onReceived: (image, request) => receiveImage(image, jobOf(request), claimOf(request)),
    onPublished: () => lookAfterImages(false),
    onRemoved: () => lookAfterImages(true),
  })

  let lists: DynamicLists | undefined
  // In this order backwards: a rule that is just making a job is waited for when nothing can be fetched for it any more, and before the list goes.
  const closers: (() => Promise<void>)[] = [() => audit.close(), () => overview.close(), () => webhooks.close(), () => events.close(), async () => tokens.close(), async () => images.close(), () => jobs.close(), () => proofs.close(), async () => lists?.close(), async () => upkeep?.close(), () => app.close()]
  const close = async () => {
    for (const each of closers.splice(0).toReversed()) await each()
  }
  try {
    if (config.netboot !== undefined && appliance !== undefined) {
      const boot = await openBootServices(app, { config: config.netboot, reachedAt: reached(), appliance, dataDirectory, admission, tokens, jobs, machines, emit, log, run, start })
      closers.push(() => boot.close())
      machineAt = (address) => boot.machineAt(address)
    }
    const listening = https === undefined ? { url: await listenAt(app, listen) } : await https.listen(listen)
    ownUrl = listening.url
    if (config.lists.length > 0) lists = startDynamicLists({ rules: config.lists, recipes, recipeDirectories, jobs, log: log.child({ part: 'lists' }) })
    return { ...listening, routes: app.listedRoutes, close }
  } catch (error) {
    await close()
    throw error
  }
}
