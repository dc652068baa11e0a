import { mkdir, writeFile } from 'node:fs/promises'
import { createServer, type AddressInfo } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import pMap from 'p-map'
import type { Start } from '../../../appliance/run.ts'
import { withJobDefaults, type Job } from '../../../server/api/job.ts'
import { openPostgresJobStore } from '../../../server/jobs/postgres/open-postgres-job-store.ts'
import { openTokens } from '../../../server/tokens.ts'

/** `ingot serve` with a list of jobs, as a process of its own. */
export interface BenchServer {
  url: string
  workerToken: string
  operatorToken: string
  stop(): Promise<void>
}

export interface BenchServerOptions {
  directory: string
  /** Jobs on the list. */
  jobs: number
  /** Fills the directory in place of a plain list of so many jobs. */
  fill?: (directory: string) => Promise<void>
  /** Where the list is kept; files of the directory when there is none. */
  databaseUrl?: string
  start: Start
}

const ingot = join(import.meta.dirname, '../../../server/ingot')

const jobOf = (number: number): Job => withJobDefaults({ id: `job-${String(number).padStart(6, '0')}`, recipe: 'debian-12' })

async function freePort(): Promise<number> {
  const probe = createServer()
  await new Promise<void>((resolve) => void probe.listen(0, '127.0.0.1', resolve))
  const { port } = probe.address() as AddressInfo
  await new Promise((resolve) => probe.close(resolve))
  return port
}

async function fillList({ directory, jobs, databaseUrl, fill }: BenchServerOptions): Promise<void> {
  if (fill !== undefined) return fill(directory)
  const list = Array.from({ length: jobs }, (_, index) => jobOf(index))
  if (databaseUrl === undefined) return writeFile(join(directory, 'jobs.json'), JSON.stringify({ version: 1, jobs: list.map(({ id, recipe }) => ({ id, recipe })) }))
  const store = await openPostgresJobStore({ url: databaseUrl })
  try {
    await pMap(list, (job) => store.add(job), { concurrency: 32 })
  } finally {
    await store.close()
  }
}

/** Starts a server and waits until it answers. Throws what it said when it ends before. */
export async function startBenchServer(options: BenchServerOptions): Promise<BenchServer> {
  const { directory, databaseUrl, start } = options
  await mkdir(directory, { recursive: true })
  await fillList(options)
  const tokens = openTokens(directory)
  const [workerToken, operatorToken] = [await tokens.create({ role: 'worker', name: 'bench' }), await tokens.create({ role: 'operator', name: 'bench' })]
  const listen = `127.0.0.1:${await freePort()}`
  const config = join(directory, 'ingot.yaml')
  await writeFile(config, JSON.stringify({ data: '.', listen, ...(databaseUrl === undefined ? {} : { database: databaseUrl }) }))
  const server = await start(ingot, ['serve', '--config', config], { env: { INGOT_LOG_LEVEL: 'warn' } })
  let ended = false
  void server.ended.then(() => (ended = true))
  const url = `http://${listen}`
  const isUp = () => fetch(`${url}/jobs.json?limit=1`, { headers: { authorization: `Bearer ${operatorToken}` } }).then(({ ok }) => ok, () => false)
  while (!(await isUp())) {
    if (ended) throw new Error(`ingot serve ended: ${(await server.ended).lastLines.join('\n')}`)
    await sleep(50)
  }
  return {
    url,
    workerToken,
    operatorToken,
    async stop() {
      server.kill('SIGTERM')
      await server.ended
    },
  }
}
