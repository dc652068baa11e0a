import type { Logger } from 'pino'
import type { Disk, Inventory } from '../../server/api/machine.ts'
import { OutageError } from './answer-errors.ts'
import { openClaimRecords, type ClaimRecord } from './claim-records.ts'
import type { BootArguments } from './command-line.ts'
import { connectServer, type ServerConnection } from './connect-server.ts'
import type { HttpFetch } from './http-fetch.ts'
import { obtainCredentials } from './obtain-credentials.ts'
import type { performJob } from './perform-job.ts'
import { takeJob } from './take-job.ts'
import { walkServers } from './walk-servers.ts'

export interface WorkerOptions {
  boot: Pick<BootArguments, 'server' | 'fingerprint' | 'ticket'>
  /** Looks the machine over; called only when a job was claimed or there was none: it takes longer than the claim. */
  takeInventory: () => Promise<Inventory>
  /** Looks at its disks, when a job is about to write to one. */
  readDisks: () => Promise<Disk[]>
  /** How a server is asked that shows a fingerprint, or one of plain HTTP that has none. */
  fetchBy: (fingerprint: string | undefined) => HttpFetch
  perform: typeof performJob
  /** Called once, when a job was claimed or there was none: tells the server that the machine booted from what the machine says, for as long as it is on. */
  tellConsole?: (server: ServerConnection, worker: string) => void
  /** Ends what a worker that died in the middle of a job left running, before its job is given back. */
  takeDown: (record: ClaimRecord) => Promise<void>
  /** Aborted, it ends; only tests do. */
  signal?: AbortSignal
  /** Folder in memory that outlives the worker's process, for example `/run/ingot`: credential and claims. */
  stateDirectory: string
  log: Logger
}

/**
 * Takes the first available job of the first server that has one, performs it, looks again, for ever (B17). Returns `restart` when an image was deployed:
 * the machine belongs to that system from then on.
 */
export async function runWorker(options: WorkerOptions): Promise<'restart' | void> {
  const { boot, takeInventory, readDisks, fetchBy, perform, tellConsole, takeDown, stateDirectory, log, signal = new AbortController().signal } = options
  // One for each fingerprint, so that the connection of the ticket serves the claim too.
  const fetches = new Map<string | undefined, HttpFetch>()
  const fetchOf = (fingerprint: string | undefined): HttpFetch => {
    const found = fetches.get(fingerprint) ?? fetchBy(fingerprint)
    fetches.set(fingerprint, found)
    return found
  }
  const credentials = await obtainCredentials({ boot, fetch: fetchOf(boot.fingerprint), stateDirectory, log })
  const worker = credentials.machine
  const servers = credentials.servers.map(({ url, credential, fingerprint }) => connectServer({ url, credential, fetch: fetchOf(fingerprint) }))
  const bootServer = connectServer({ url: boot.server, credential: credentials.credential, fetch: fetchOf(boot.fingerprint) })
  const records = openClaimRecords(stateDirectory)
  const giveBack = async (record: ClaimRecord) => (await import('./give-back.ts')).giveBack(record, { servers, records, log, signal })

  for (const record of records.list()) {
    // A worker that died cannot know how far the disk is. No other may begin while a program of that job still runs.
    await takeDown(record)
    void giveBack(record)
  }

  let isConsoleTold = false
  const beginConsole = (): void => {
    if (!isConsoleTold) tellConsole?.(bootServer, worker)
    isConsoleTold = true
  }
  let inventory: Promise<Inventory> | undefined
  const inventoryOf = async (): Promise<Inventory> => ({ ...(await (inventory ??= takeInventory())), id: worker })
  let known = new Set<ServerConnection>()
  const introduce = async (server: ServerConnection): Promise<boolean> => {
    if (known.has(server)) return false
    beginConsole()
    try {
      await server.sendInventory(await inventoryOf(), signal)
    } catch (error) {
      if (signal.aborted || error instanceof OutageError) throw error
      log.error({ server: server.url, reason: (error as Error).message }, 'the server was told nothing of this machine: jobs that require something are not to be had there')
    }
    known.add(server)
    return true
  }

  while (!signal.aborted) {
    const held = await walkServers({
      servers,
      worker,
      take: (server, offers) =>
        takeJob(server, offers, { worker, records, onForbidden: () => known.delete(server), onDoubt: (record) => void giveBack(record), signal }),
      introduce,
      onFailed: (server) => known.delete(server),
      log,
      signal,
    }).catch((error: unknown) => {
      if (signal.aborted) return undefined
      throw error
    })
    if (held === undefined) return
    beginConsole()
    log.info({ server: held.server.url, job: held.job }, 'job claimed')
    const outcome = await perform({ held, bootServer, takeInventory: inventoryOf, readDisks, stateDirectory, log: log.child({ job: held.job }) })
    log.info({ job: held.job, ...outcome }, 'job ended')
    // Only once the server knows how it ended; a crash before this gives the claim back at the next start.
    records.remove({ ...held, server: held.server.url })
    if (outcome.state === 'performed' && outcome.deployed !== undefined) return 'restart'
    // What lies on the disks has changed.
    inventory = undefined
    known = new Set()
  }
}
