import { createReadStream } from 'node:fs'
import { join } from 'node:path'
import type { Logger } from 'pino'
import { loadAppliance, type Appliance } from '../appliance/os/load-appliance.ts'
import type { Run, Start } from '../appliance/run.ts'
import { componentsOf } from '../images/components-of.ts'
import type { Plan } from '../images/plan.ts'
import { planRecipe } from '../images/plan-recipe.ts'
import { withJobDefaults } from './api/job.ts'
import { createComponentStore } from './components/component-store.ts'
import { createEnsureRootfs } from './components/ensure-rootfs.ts'
import { createRecipeStore } from './components/recipe-store.ts'
import { resolveComponents } from './components/resolve-components.ts'
import type { Config } from './config.ts'
import { openEventLog } from './event-log.ts'
import { IngotError } from './errors.ts'
import { createApp } from './http/app.ts'
import { componentRoutes } from './http/routes/components.ts'
import { eventRoutes } from './http/routes/events.ts'
import { claimOf, jobOf } from './http/claim-of.ts'
import { machineOf } from './http/machine-of.ts'
import { jobRoutes } from './http/routes/jobs.ts'
import { machineRoutes } from './http/routes/machines.ts'
import { ociRoutes } from './http/routes/oci.ts'
import { recipeRoutes } from './http/routes/recipes.ts'
import { tokenAuthorize } from './http/token-authorize.ts'
import { openConfiguredImages } from './image-store/images-config.ts'
import { startUpkeep } from './image-store/start-upkeep.ts'
import { createJobId } from './jobs/create-job-id.ts'
import { startDynamicLists, type DynamicLists } from './jobs/dynamic/start-dynamic-lists.ts'
import { openFileJobStore } from './jobs/file-job-store.ts'
import { createJobService } from './jobs/job-service.ts'
import { openPostgresJobStore } from './jobs/postgres/open-postgres-job-store.ts'
import { listenAt, localUrl } from './listen-address.ts'
import { openMachineStore } from './machine-store.ts'
import { bootRoutes } from './netboot/boot-routes.ts'
import { startNetboot } from './netboot/netboot.ts'
import { packageRoutes } from './packages/package-routes.ts'
import { openTokens } from './tokens.ts'

/** A boot script is fetched seconds before its ticket is used; a slow machine with many disks may take minutes to get there. */
const ticketLifeSeconds = 15 * 60

/** The recipes that ship with Ingot. */
const ownRecipes = join(import.meta.dirname, '../images/recipes')

export interface FirstComputer {
  /** Where it is reached, for example `http://10.77.0.1:8080`. */
  url: string
  close(): Promise<void>
}

/**
 * Starts a first computer: its HTTP services and, where the configuration says so, the boot services. Throws `IngotError`: 'port-in-use',
 * 'host-lacks' (no appliance to boot, no boot files), 'data-invalid'.
 */
export async function startFirstComputer({ config, log, run, start }: { config: Config; log: Logger; run: Run; start: Start }): Promise<FirstComputer> {
  const { dataDirectory, listen } = config
  const appliance = config.netboot === undefined ? undefined : await loadAppliance(config.applianceDirectory)
  const events = openEventLog(dataDirectory, { log: log.child({ part: 'events' }) })
  const { emit } = events
  const tokens = openTokens(dataDirectory)
  const authorize = tokenAuthorize(tokens)
  const machines = openMachineStore(dataDirectory)
  const components = createComponentStore(join(dataDirectory, 'components'))
  const { store: images, layout } = await openConfiguredImages(config.images, dataDirectory)
  const recipeDirectories = [ownRecipes, ...config.recipeDirectories]
  const recipes = createRecipeStore(recipeDirectories)
  // mmdebstrap runs here, and asks this server itself.
  let ownUrl = localUrl(listen)

  const keepTools = async () => {
    const { toolsPath, toolsDigest, toolsSizeBytes }: Appliance = appliance ?? (await loadAppliance(config.applianceDirectory))
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
  const makePlan = async (recipeName: string) => {
    const loaded = await recipes.load(recipeName)
    const onProgress = (line: string) => log.info({ recipe: recipeName, line }, 'preparing')
    const resolved = await resolveComponents(loaded, { store: components, ensureRootfs, tools: await keepTools(), onProgress })
    return planRecipe(loaded.recipe, resolved)
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
  const jobs = createJobService({ store, makePlan, emit, machines, hasComponents, publishedDigest, log: jobLog })
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
      log: log.child({ part: 'images' }),
    })
  // What fails is in the log, and is tried again within a day.
  const lookAfterImages = (thorough: boolean): void => void upkeep?.run({ thorough }).catch(() => {})
  const app = createApp({ log })
  await app.register(jobRoutes, {
    jobs,
    authorize,
    emit,
    createJob: async (wanted, place) => {
      const job = withJobDefaults({ id: createJobId(wanted.recipe), ...wanted, createdAt: new Date().toISOString() })
      await jobs.add(job, place)
      return job
    },
  })
  await app.register(machineRoutes, { machines, tokens, authorize, emit, servers: config.servers })
  await app.register(eventRoutes, { events, authorize })
  await app.register(recipeRoutes, { recipes, authorize })
  await app.register(componentRoutes, {
    components,
    authorize,
    emit,
    machineOf: (job, asker) => machineOf(jobs, job, asker),
    nameOf: async (job, digest) => componentsOf(await jobs.plan(job)).find((each) => each.digest === digest)?.name ?? digest,
  })
  await app.register(packageRoutes, { mirrors: config.mirrors, cacheDirectory: join(dataDirectory, 'packages'), log: log.child({ part: 'packages' }) })
  await app.register(ociRoutes, {
    store: images,
    authorize,
    async mayPublish(request, name, version) {
      const { role } = await authorize(request, ['worker', 'operator'])
      if (role === 'worker') await jobs.mayPublish(jobOf(request), name, version, claimOf(request))
    },
    async onPublished(image, request) {
      lookAfterImages(false)
      const { role } = await authorize(request, ['worker', 'operator'])
      if (role !== 'worker') return
      const job = jobOf(request)
      const { worker } = await jobs.status(job)
      emit({
        machine: worker,
        hop: 'image',
        job,
        image: image.name,
        version: image.version,
        digest: image.digest,
        blobBytes: image.manifest.layers.reduce((sum, layer) => sum + layer.size, image.manifest.config.size),
        diskBytes: image.config.diskSizeBytes,
      })
      await jobs.complete(job, image.digest, claimOf(request))
    },
    onRemoved: () => lookAfterImages(true),
  })

  let lists: DynamicLists | undefined
  // In this order backwards: a rule that is just making a job is waited for when nothing can be fetched for it any more, and before the list goes.
  const closers: (() => Promise<void>)[] = [() => events.close(), async () => images.close(), () => jobs.close(), async () => lists?.close(), async () => upkeep?.close(), () => app.close()]
  const close = async () => {
    for (const each of closers.splice(0).toReversed()) await each()
  }
  try {
    if (config.netboot !== undefined && appliance !== undefined) {
      const httpUrl = `http://${config.netboot.address}:${listen.port}`
      const netboot = await startNetboot({ ...config.netboot, dataDirectory, httpUrl, emit, log: log.child({ part: 'netboot' }), run, start })
      closers.push(() => netboot.close())
      await app.register(bootRoutes, {
        httpUrl,
        appliance: { kernel: appliance.kernelPath, initramfs: appliance.initramfsPath, stage2: appliance.stage2Path },
        stage2Digest: appliance.stage2Digest,
        bootFiles: netboot.bootFiles,
        issueTicket: (machine) => tokens.createTicket(machine, ticketLifeSeconds),
        machineAt: (address) => netboot.machineAt(address),
        emit,
      })
    }
    ownUrl = await listenAt(app, listen)
    if (config.lists.length > 0) {
      lists = startDynamicLists({ rules: config.lists, recipes, recipeDirectories, jobs, log: log.child({ part: 'lists' }) })
    }
  } catch (error) {
    await close()
    throw error
  }
  return { url: ownUrl, close }
}
