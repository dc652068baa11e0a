import { createReadStream } from 'node:fs'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { pino, type Logger } from 'pino'
import { onTestFinished } from 'vitest'
import { run, start } from '../../../appliance/run.ts'
import type { Plan, Step } from '../../../images/plan.ts'
import type { Status } from '../../../server/api/status.ts'
import { createComponentStore, type ComponentStore } from '../../../server/components/component-store.ts'
import { configWithoutNetboot } from '../../../server/config.ts'
import { startFirstComputer, type FirstComputer } from '../../../server/first-computer.ts'
import type { WalkedServer } from '../../../server/tls/worker-servers.ts'
import { openTokens, type Tokens } from '../../../server/tokens.ts'

export const log = pino({ level: 'silent' })
export const machine = '52-54-00-12-34-56'

/** A job server as `ingot serve --no-netboot` runs it, on a directory and a port that stay its own when it is stopped and started again. */
export interface JobServer {
  readonly url: string
  /** Where workers speak to it, if not there. */
  readonly https: FirstComputer['https']
  readonly directory: string
  readonly tokens: Tokens
  readonly components: ComponentStore
  /** The servers that workers booted from here walk; itself unless the test says otherwise. */
  start(): Promise<void>
  stop(): Promise<void>
  /** Puts a job on the list by hand, as a person would, after those that stand there. */
  addJob(job: { id: string; [field: string]: unknown }, steps?: Step[]): Promise<void>
  /** A single-use ticket for the test's machine, or another. */
  ticket(of?: string): Promise<string>
  /** Asks as an operator; the body of the answer, or its status when that is a refusal. */
  ask(method: string, path: string, body?: object): Promise<unknown>
  status(job: string): Promise<Status>
  log(job: string): Promise<string>
}

export interface JobServerOptions {
  /** Further job servers, walked in this order after or, with `first`, before this one. */
  others?: { url: string; credential?: string }[]
  othersFirst?: boolean
  /** Workers speak HTTPS to it. */
  tls?: true
  /** Default nowhere. */
  log?: Logger
}

export async function openJobServer({ others = [], othersFirst = false, tls, log: ownLog = log }: JobServerOptions = {}): Promise<JobServer> {
  const directory = await mkdtemp(join(tmpdir(), 'ingot-server-'))
  const tokens = openTokens(directory)
  const components = createComponentStore(join(directory, 'components'))
  const operator = await tokens.create({ role: 'operator', name: 'test' })
  let tools: Plan['tools'] | undefined
  let port = 0
  let httpsPort = 0
  let running: FirstComputer | undefined
  const url = () => `http://127.0.0.1:${port}`

  const server: JobServer = {
    get url() {
      return url()
    },
    get https() {
      return running?.https
    },
    directory,
    tokens,
    components,
    async start() {
      const config = configWithoutNetboot({ data: directory, listen: `127.0.0.1:${port}` })
      const own: WalkedServer = { url: url() }
      running = await startFirstComputer({ config: { ...config, ...(tls === undefined ? {} : { tls: { port: httpsPort, names: [] } }), admit: 'all', servers: othersFirst ? [...others, own] : [own, ...others] }, log: ownLog, run, start })
      port = Number(new URL(running.url).port)
      httpsPort = Number(new URL(running.https?.url ?? 'https://none:0').port)
      Object.assign(own, running.https ?? { url: url() })
    },
    async stop() {
      await running?.close()
      running = undefined
    },
    async addJob(job, steps = [{ kind: 'image', image: 'r' }]) {
      tools ??= await addTools(components)
      const plan: Plan = { version: 1, recipe: { name: 'r', digest: 'sha256:00' }, architecture: 'amd64', firmware: ['bios'], tools, steps, proof: 'none' }
      await mkdir(join(directory, 'plans'), { recursive: true })
      await writeFile(join(directory, 'plans', `${job.id}.json`), JSON.stringify(plan))
      const path = join(directory, 'jobs.json')
      const listed = await readFile(path, 'utf8').then((text) => (JSON.parse(text) as { jobs: object[] }).jobs, () => [])
      await writeFile(path, JSON.stringify({ version: 1, jobs: [...listed, 'deploy' in job ? job : { recipe: 'r', ...job }] }))
    },
    ticket: (of = machine) => tokens.createTicket(of, 60),
    async ask(method, path, body) {
      const answer = await fetch(`${url()}${path}`, {
        method,
        headers: { authorization: `Bearer ${operator}`, ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      })
      const text = await answer.text()
      if (!answer.ok) return answer.status
      return answer.headers.get('content-type')?.includes('json') === true ? (JSON.parse(text) as unknown) : text
    },
    status: (job) => server.ask('GET', `/status/${job}.json`) as Promise<Status>,
    log: (job) => server.ask('GET', `/logs/${job}.log`) as Promise<string>,
  }
  onTestFinished(async () => {
    await server.stop()
    // What was asked of it last may still be under way.
    await rm(directory, { recursive: true, maxRetries: 10 })
  })
  await server.start()
  return server
}

/** The programs that a job brings: here one file that says so. */
async function addTools(components: ComponentStore): Promise<Plan['tools']> {
  const folder = await mkdtemp(join(tmpdir(), 'ingot-tools-'))
  try {
    await mkdir(join(folder, 'root'))
    await writeFile(join(folder, 'root', 'tools'), 'of the test\n')
    await run('mksquashfs', [join(folder, 'root'), join(folder, 'tools.squashfs'), '-quiet', '-no-progress'])
    return await components.add('tools', createReadStream(join(folder, 'tools.squashfs')))
  } finally {
    await rm(folder, { recursive: true })
  }
}

/** Far beyond what anything takes, on a machine that has much else to do. */
const untilMs = 180_000

/** Settles once `isSo` tells true; what never becomes so must not go on behind a test that has failed. */
export async function until(isSo: () => boolean | Promise<boolean>): Promise<void> {
  const limit = AbortSignal.timeout(untilMs)
  while (!(await isSo())) {
    if (limit.aborted) throw new Error(`expected within ${untilMs} ms: ${isSo}`)
    await sleep(20)
  }
}
