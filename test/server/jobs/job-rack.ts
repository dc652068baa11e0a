import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import pMap from 'p-map'
import { Agent, request } from 'undici'
import type { CredentialAnswer } from '../../../server/api/credential.ts'
import type { EndedJob } from '../../../server/api/history.ts'
import type { JobListAnswer, NewJob } from '../../../server/api/job.ts'
import { openTokens } from '../../../server/tokens.ts'

/** What `fixtures/serve-jobs.ts` is told. Without `databaseUrl` the list is files of the directory. */
export interface ServeTask {
  directory: string
  port: number
  databaseUrl?: string
}

/** What `fixtures/racing-worker.ts` is told. */
export interface WorkTask {
  stateDirectory: string
  /** The file that every worker notes its jobs in. */
  journal: string
  /** A job takes up to this long, in milliseconds. */
  workMs: number
}

export interface ServerProcess {
  readonly url: string
  readonly directory: string
  /** Ends it with SIGKILL. */
  kill(): Promise<void>
  /** Starts it again at the same address. Throws what it said when it does not come up. */
  start(): Promise<void>
}

export interface WorkerProcess {
  kill(): Promise<void>
  /** Starts it again with what it kept of its claims. */
  start(): void
}

export interface Answer<Body = unknown> {
  status: number
  body: Body
}

/** Job servers and workers as processes of their own, on one directory or one database. */
export interface JobRack {
  addServer(): Promise<ServerProcess>
  /** A worker that goes through all servers there are, beginning with the `first`th. */
  addWorker(options?: { first?: number; workMs?: number }): Promise<WorkerProcess>
  /** The credential of a worker, for a test that is one itself. */
  readonly workerToken: string
  /** Asks the first server that answers as an operator. */
  ask<Body>(path: string, options?: { method?: 'GET' | 'POST' | 'DELETE'; body?: object }): Promise<Answer<Body>>
  addJobs(jobs: readonly NewJob[]): Promise<void>
  /** Settles when the list is empty. */
  drained(): Promise<void>
  /** Settles when besides each worker has noted how what it began has ended, which is a moment after the server knows; not for long if a worker or its server was killed. */
  atRest(): Promise<void>
  performed(): Promise<EndedJob[]>
  /** The published versions of the image that every job makes, at the first server that answers, sorted. */
  imageVersions(): Promise<string[]>
  /** What the workers noted: `begin JOB CLAIM` and `done JOB CLAIM` or `lost JOB CLAIM`. */
  notes(): Promise<{ what: string; job: string; claim: string }[]>
  /** Ends all processes and takes their directories away. */
  remove(): Promise<void>
}

const fixture = (name: string) => join(import.meta.dirname, 'fixtures', name)

async function kill(child: ChildProcess | undefined): Promise<void> {
  if (child === undefined || child.exitCode !== null || child.signalCode !== null) return
  const ended = once(child, 'exit')
  child.kill('SIGKILL')
  await ended
}

export interface JobRackOptions {
  /** Every server has a directory of its own then, for credentials and images. */
  databaseUrl?: string
  /** Where each server, in order, finds the directory that all share; default one place for all. */
  directories?: readonly string[]
}

/** Job servers and workers as processes of their own, that can be killed. */
export async function openJobRack({ databaseUrl, directories = [] }: JobRackOptions = {}): Promise<JobRack> {
  const home = await mkdtemp(join(tmpdir(), 'ingot-rack-'))
  const journal = join(home, 'journal')
  await writeFile(journal, '')
  const agent = new Agent({ connections: 64 })
  const servers: (ServerProcess & { tokens: { worker: string; operator: string } })[] = []
  const children = new Map<object, ChildProcess>()
  let workers = 0
  const credentials = new Map<string, { worker: string; operator: string }>()

  const credentialsIn = async (directory: string) => {
    const tokens = openTokens(directory)
    const made = credentials.get(directory) ?? { worker: await tokens.create({ role: 'worker', name: 'racer' }), operator: await tokens.create({ role: 'operator', name: 'test' }) }
    credentials.set(directory, made)
    return made
  }

  const rack: JobRack = {
    async addServer() {
      const directory = directories[servers.length] ?? join(home, databaseUrl === undefined ? 'data' : `data-${servers.length}`)
      let port = 0
      const server = {
        url: '',
        directory,
        tokens: await credentialsIn(directory),
        kill: () => kill(children.get(server)),
        async start() {
          const task: ServeTask = { directory, port, ...(databaseUrl === undefined ? {} : { databaseUrl }) }
          const child = spawn(process.execPath, [fixture('serve-jobs.ts'), JSON.stringify(task)], { stdio: ['ignore', 'pipe', 'pipe'] })
          children.set(server, child)
          const said: string[] = []
          child.stderr.setEncoding('utf8').on('data', (text: string) => said.push(text))
          const up = once(createInterface(child.stdout), 'line') as Promise<[string]>
          const down = once(child, 'exit').then(() => Promise.reject(new Error(`the server ended: ${said.join('')}`)))
          down.catch(() => {})
          const [url] = await Promise.race([up, down])
          server.url = url
          port = Number(new URL(url).port)
        },
      }
      await server.start()
      servers.push(server)
      return server
    },
    async addWorker({ first = 0, workMs = 50 } = {}) {
      const name = `worker-${++workers}`
      const stateDirectory = join(home, name)
      const walk = servers.map((_, index) => servers[(first + index) % servers.length]!)
      const answer: CredentialAnswer = { machine: name, credential: walk[0]!.tokens.worker, servers: walk.map(({ url, tokens }) => ({ url, credential: tokens.worker })) }
      await mkdir(stateDirectory)
      await writeFile(join(stateDirectory, 'credentials.json'), JSON.stringify(answer))
      const task: WorkTask = { stateDirectory, journal, workMs }
      const worker = {
        kill: () => kill(children.get(worker)),
        start: () => void children.set(worker, spawn(process.execPath, [fixture('racing-worker.ts'), JSON.stringify(task)], { stdio: ['ignore', 'ignore', 'inherit'] })),
      }
      worker.start()
      return worker
    },
    get workerToken() {
      return servers[0]!.tokens.worker
    },
    async ask<Body>(path: string, { method = 'GET', body }: { method?: 'GET' | 'POST' | 'DELETE'; body?: object } = {}) {
      let failure: unknown
      for (const { url, tokens } of servers) {
        try {
          const headers = { authorization: `Bearer ${tokens.operator}`, ...(body === undefined ? {} : { 'content-type': 'application/json' }) }
          const response = await request(`${url}${path}`, { method, headers, dispatcher: agent, ...(body === undefined ? {} : { body: JSON.stringify(body) }) })
          const text = await response.body.text()
          return { status: response.statusCode, body: (text === '' ? undefined : JSON.parse(text)) as Body }
        } catch (error) {
          failure = error
        }
      }
      throw failure
    },
    async addJobs(jobs) {
      const add = async (job: NewJob) => {
        const { status, body } = await rack.ask('/jobs', { method: 'POST', body: job })
        if (status !== 201) throw new Error(`expected a job, got ${status} ${JSON.stringify(body)}`)
      }
      await pMap(jobs, add, { concurrency: 32 })
    },
    async drained() {
      for (;;) {
        const { status, body } = await rack.ask<JobListAnswer>('/jobs.json?limit=1')
        if (status !== 200) throw new Error(`expected the list, got ${status} ${JSON.stringify(body)}`)
        if (body.jobs.length === 0) return
        await new Promise((resolve) => setTimeout(resolve, 100))
      }
    },
    async atRest() {
      await rack.drained()
      for (;;) {
        const notes = await rack.notes()
        if (notes.filter(({ what }) => what === 'begin').length * 2 === notes.length) return
        await new Promise((resolve) => setTimeout(resolve, 100))
      }
    },
    async performed() {
      return (await rack.ask<{ jobs: EndedJob[] }>('/performed.json')).body.jobs
    },
    async imageVersions() {
      return (await rack.ask<{ tags: string[] }>('/v2/disk/tags/list')).body.tags.toSorted()
    },
    async notes() {
      const lines = (await readFile(journal, 'utf8')).split('\n').filter((line) => line !== '')
      return lines.map((line) => {
        const [what = '', job = '', claim = ''] = line.split(' ')
        return { what, job, claim }
      })
    },
    async remove() {
      await Promise.all([...children.values()].map(kill))
      await agent.close()
      await rm(home, { recursive: true, force: true })
    },
  }
  return rack
}
