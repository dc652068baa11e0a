import { mkdir, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { parseSize } from '../../images/size.ts'
import type { Job } from '../api/job.ts'
import { createRecipeStore } from '../components/recipe-store.ts'
import { askServer, type ServerAddress } from '../http-client.ts'
import { openTokens } from '../tokens.ts'
import { buildImages, buildMachines } from './build-image.ts'
import type { DemoContext } from './context.ts'
import { startFirstComputerProcess } from './first-computer-process.ts'
import { followEvents } from './follow-events.ts'
import { followProofs } from './follow-proofs.ts'

/** What of the first computer's data outlasts a run: all that is costly to make. Jobs and leases of an earlier run would be in the way. */
const kept = ['components', 'packages', 'images']

const recipesDirectory = join(import.meta.dirname, '../../images/recipes')

/**
 * The main job on real input, inside the rack: first computer, bare machines, images, proof. Throws what went wrong; whoever calls ends
 * the process, and with it everything started here.
 */
export async function performDemo(context: DemoContext): Promise<void> {
  const { options, paths, feed, emit, start, signal } = context
  const { recipe } = await createRecipeStore([recipesDirectory, ...options.recipes]).load(options.recipe)
  await removeTraces(paths.data)

  emit({ kind: 'task', task: 'first computer', state: 'begun', detail: '' })
  const onPreparing = (detail: string): void => emit({ kind: 'task', task: 'job and its components', state: 'running', detail })
  const server = await startFirstComputerProcess(paths, { recipes: options.recipes, secureBoot: options.secureBoot, start, onPreparing })
  emit({ kind: 'task', task: 'first computer', state: 'done', detail: `${server.address.url}, DHCP on UDP 67, TFTP on UDP 69, on a network of its own` })

  const address: ServerAddress = { ...server.address, token: await openTokens(paths.data).create({ role: 'operator', name: 'demo' }) }
  // Ends well only when the server stops; who waits for the work hears of it when it breaks.
  const events = readEvents(followEvents(address, signal), feed.add)
  events.catch(() => {})
  const work = async (): Promise<void> => {
    for (let number = 1; number <= options.machines; number++) await addJob(options.recipe, address, context)
    const title = options.machines === 1 ? 'A bare machine becomes an image' : `${options.machines} bare machines become images`
    emit({ kind: 'phase', phase: 'build', title: `${title}: time since power-on` })
    // The first image may be proven while others are made.
    const onBegin = (): void => emit({ kind: 'phase', phase: 'prove', title: 'The image boots by itself on other machines' })
    const proven = followProofs(buildMachines(options.machines), { ...context, onBegin })
    await Promise.race([buildImages(parseSize(recipe.disk.size)!, context), proven])
    await proven
  }
  await Promise.race([work(), server.failed, events.then(() => server.failed)])
  await server.stop()
  if (!options.keep) await Promise.all((await readdir(paths.run)).filter((file) => /\.(qcow2|vars)$/.test(file)).map((file) => rm(join(paths.run, file))))
  emit({ kind: 'finished', imagesDirectory: join(paths.data, 'images'), consolesDirectory: paths.run, proofsDirectory: join(paths.data, 'proofs', 'consoles') })
}

async function addJob(recipe: string, server: ServerAddress, { emit, signal }: DemoContext): Promise<void> {
  emit({ kind: 'task', task: 'job and its components', state: 'begun', detail: recipe })
  const headers = { 'content-type': 'application/json' }
  // What is shown is the whole way, also when an earlier run has left some of it behind.
  const answer = await askServer(server, '/jobs', { method: 'POST', headers, body: JSON.stringify({ recipe, cache: false }), signal })
  const job = (await answer.json()) as Job
  emit({ kind: 'task', task: 'job and its components', state: 'done', detail: job.id })
}

async function readEvents<Each>(events: AsyncIterable<Each>, add: (event: Each) => void): Promise<void> {
  for await (const event of events) add(event)
}

async function removeTraces(directory: string): Promise<void> {
  await mkdir(directory, { recursive: true })
  const names = await readdir(directory)
  await Promise.all(names.filter((name) => !kept.includes(name)).map((name) => rm(join(directory, name), { recursive: true })))
}
