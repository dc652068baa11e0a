import { randomBytes } from 'node:crypto'
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Logger } from 'pino'
import type { CredentialAnswer } from '../../server/api/credential.ts'
import type { Inventory } from '../../server/api/machine.ts'
import type { BootArguments } from './command-line.ts'
import type { HttpFetch } from './http-fetch.ts'
import { connectServer, RefusedError, type ServerConnection } from './http-job-server.ts'
import type { performJob } from './perform-job.ts'

/** A waiting worker looks for jobs this often, give or take a quarter so that many do not come at once. */
const lookEveryMs = 2000
/** No server answers for this long: the network or the boot server is gone, and only a new boot can find another. */
const giveUpAfterMs = 300_000

export interface WorkerOptions {
  boot: BootArguments
  /** Looks the machine over; called once, and only when the first job was claimed or there was none: it takes longer than the claim. */
  takeInventory: () => Promise<Inventory>
  fetch: HttpFetch
  perform: typeof performJob
  /** Aborted, it ends; only tests do. */
  signal?: AbortSignal
  /** Folder in memory that outlives the worker's process, for example `/run/ingot`: credential and claims. */
  stateDirectory: string
  log: Logger
}

/** No server could be reached for `giveUpAfterMs`. */
export class UnreachableError extends Error {
  override readonly name = 'UnreachableError'
}

/** The worker's record of a claim (B15): `claims/<job>.json` below its state directory while the job is its own. */
interface ClaimRecord {
  server: string
  job: string
  claim: string
}

/** Walks the job servers in order, for ever: takes the first available job of the first server that has one, performs it, looks again (B17). */
export async function runWorker(options: WorkerOptions): Promise<void> {
  const { boot, takeInventory, fetch, perform, stateDirectory, log, signal = new AbortController().signal } = options
  const credentials = await obtainCredentials({ boot, fetch, stateDirectory, log })
  const servers = credentials.servers.map(({ url, credential }) => connectServer({ url, credential, fetch }))
  await giveBackClaims({ servers, stateDirectory, worker: credentials.machine, log })

  let taken: Promise<Inventory> | undefined
  const inventoryOf = async (): Promise<Inventory> => ({ ...(await (taken ??= takeInventory())), id: credentials.machine })
  const scratchSerials = new Map<ServerConnection, readonly string[]>()
  const introduce = async (server: ServerConnection): Promise<readonly string[]> => {
    const known = scratchSerials.get(server)
    if (known !== undefined) return known
    const answer = await server.sendInventory(await inventoryOf(), signal)
    scratchSerials.set(server, answer.scratchSerials)
    return answer.scratchSerials
  }

  let reachedAt = Date.now()
  while (!signal.aborted) {
    let performed = false
    for (const server of servers) {
      try {
        const held = await takeJob({ server, worker: credentials.machine, stateDirectory, signal })
        reachedAt = Date.now()
        if (held === undefined) {
          await introduce(server)
          continue
        }
        log.info({ server: server.url, job: held.job }, 'job claimed')
        const claimed = server.claimed(held.job, held.claim)
        try {
          const inventory = await inventoryOf()
          const scratchSerials = await introduce(server)
          const plan = await claimed.plan(signal)
          const outcome = await perform({ server: claimed, plan, inventory, scratchSerials, stateDirectory, log: log.child({ job: held.job }) })
          log.info({ job: held.job, ...outcome }, 'job ended')
        } catch (error) {
          const failure = { step: 'prepare', message: describeError(error), lastLines: [] }
          await claimed.report({ worker: credentials.machine, server: server.url, state: 'failed', failure }, signal)
        }
        // Only once the server knows how it ended; a crash before this gives the claim back at the next start.
        await rm(claimPath(stateDirectory, held.job), { force: true })
        performed = true
        break
      } catch (error) {
        log.warn({ server: server.url, reason: describeError(error) }, 'job server passed over')
      }
    }
    if (Date.now() - reachedAt > giveUpAfterMs) throw new UnreachableError(`no job server answered for ${giveUpAfterMs / 1000} s`)
    if (!performed) await sleep(lookEveryMs * (0.75 + Math.random() / 2), undefined, { signal }).catch(() => {})
  }
}

/** `fetch failed` says little; what failed below it says more. */
const describeError = (error: unknown): string => {
  const { message, cause } = error as Error
  return cause instanceof Error ? `${message}: ${cause.message}` : message
}

const claimPath = (stateDirectory: string, job: string) => join(stateDirectory, 'claims', `${job}.json`)

async function takeJob({ server, worker, stateDirectory, signal }: { server: ServerConnection; worker: string; stateDirectory: string; signal: AbortSignal }) {
  for (const job of await server.jobs(signal)) {
    if (job.state !== 'available') continue
    const claim = randomBytes(32).toString('base64url')
    const record: ClaimRecord = { server: server.url, job: job.id, claim }
    // Written before the claim, so that no crash in between leaves a job held by a worker that does not know it.
    await mkdir(join(stateDirectory, 'claims'), { recursive: true })
    await writeFile(claimPath(stateDirectory, job.id), JSON.stringify(record), { mode: 0o600 })
    const status = await server.claim(job.id, { worker, server: server.url, state: 'claimed' }, claim, signal)
    if (status !== undefined) return record
    await rm(claimPath(stateDirectory, job.id))
  }
  return undefined
}

/** A worker that died in the middle of a job cannot know how far the disk is: it says so, and the job is free for another try. */
async function giveBackClaims({ servers, stateDirectory, worker, log }: { servers: ServerConnection[]; stateDirectory: string; worker: string; log: Logger }) {
  const folder = join(stateDirectory, 'claims')
  await mkdir(folder, { recursive: true })
  for (const name of await readdir(folder)) {
    const record = JSON.parse(await readFile(join(folder, name), 'utf8')) as ClaimRecord
    const server = servers.find((each) => each.url === record.server)
    const failure = { step: 'worker', message: 'the worker died and was started again in the middle of the job', lastLines: [] }
    try {
      await server?.claimed(record.job, record.claim).report({ worker, server: record.server, state: 'failed', failure }, AbortSignal.timeout(30_000))
      log.warn({ job: record.job }, 'gave back a job that was under way when the worker died')
    } catch (error) {
      if (!(error instanceof RefusedError)) throw error
      log.warn({ job: record.job, reason: error.message }, 'the claim had ended already')
    }
    await rm(join(folder, name))
  }
}

async function obtainCredentials({ boot, fetch, stateDirectory, log }: Pick<WorkerOptions, 'boot' | 'fetch' | 'stateDirectory' | 'log'>): Promise<CredentialAnswer> {
  const path = join(stateDirectory, 'credentials.json')
  await mkdir(stateDirectory, { recursive: true })
  try {
    return JSON.parse(await readFile(path, 'utf8')) as CredentialAnswer
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
  }
  const startedAt = Date.now()
  for (let waitMs = 500; ; waitMs = Math.min(waitMs * 2, 15_000)) {
    try {
      const response = await fetch(`${boot.server}/credentials`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ ticket: boot.ticket }),
        signal: AbortSignal.timeout(30_000),
      })
      const answer: unknown = await response.json()
      // Used tickets stay used: only a new boot gives a new one.
      if (response.status === 401) throw new UnreachableError(`the boot server refuses this boot's ticket: ${(answer as { title?: string }).title}`)
      if (!response.ok) throw new Error(`${boot.server}/credentials answered ${response.status}`)
      await writeFile(path, JSON.stringify(answer), { mode: 0o600 })
      return answer as CredentialAnswer
    } catch (error) {
      if (error instanceof UnreachableError) throw error
      if (Date.now() - startedAt > giveUpAfterMs) throw new UnreachableError(`the boot server did not answer for ${giveUpAfterMs / 1000} s: ${describeError(error)}`)
      log.warn({ server: boot.server, reason: describeError(error), againInMs: waitMs }, 'no credential yet')
      await sleep(waitMs)
    }
  }
}
