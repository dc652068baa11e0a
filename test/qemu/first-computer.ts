import { cp, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { stringify } from 'yaml'
import { start, type StartedProgram } from '../../appliance/run.ts'
import type { MachineEvent } from '../../server/api/event.ts'
import type { JobDetails } from '../../server/api/history.ts'
import type { NewJob } from '../../server/api/job.ts'
import { askServer, type ServerAddress } from '../../server/http-client.ts'
import type { Machine } from '../../server/rack/machine.ts'
import { openTokens } from '../../server/tokens.ts'

/*
 * First computers as processes of their own inside the namespaces of a rack, and what a test asks of them.
 */

const main = join(import.meta.dirname, '../../server/main.ts')

export interface StartedServer {
  program: StartedProgram
  data: string
  /** Where it speaks HTTPS, and by what it is known there. */
  https: { url: string; fingerprint: string }
  token: (role: 'operator' | 'worker') => Promise<string>
}

/** Starts `ingot serve` with its data in `<directory>/<name>`; settles when it is up. */
export async function startServer(name: string, { directory, appliance, ...config }: { directory: string; appliance: string; listen: string; [key: string]: unknown }): Promise<StartedServer> {
  const data = join(directory, name)
  const file = join(directory, `${name}.yaml`)
  await writeFile(file, stringify({ data, appliance, admit: 'all', ...config }))
  const up = Promise.withResolvers<string>()
  const program = await start(process.execPath, [main, 'serve', '--config', file], { onErrorLine: (line) => line.includes('first computer up') && up.resolve(line) })
  const ended = program.ended.then(({ lastLines }): never => {
    throw new Error(`${name} ended: ${lastLines.join('\n')}`)
  })
  ended.catch(() => {})
  const { https: url, fingerprint } = JSON.parse(await Promise.race([up.promise, ended])) as { https: string; fingerprint: string }
  return { program, data, https: { url, fingerprint }, token: (role) => openTokens(data).create({ role, name: `test-${role}` }) }
}

/** Copies folders that an earlier first computer has built or fetched, as far as there are any. */
export async function takeOver(earlier: string, data: string, folders: readonly string[]): Promise<void> {
  for (const folder of folders) {
    await cp(join(earlier, folder), join(data, folder), { recursive: true }).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOENT') throw error
    })
  }
}

export const addJob = async (server: ServerAddress, job: NewJob): Promise<void> =>
  void (await askServer(server, '/jobs', { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(job) }))

/** Asks once a second until the job is as wanted; what is known of it then. A machine that goes off by itself fails the test. */
export async function waitForJob(server: ServerAddress, id: string, isWanted: (job: JobDetails) => boolean, machine: Machine): Promise<JobDetails> {
  let isOff = false
  void machine.ended.then(() => (isOff = true))
  for (;;) {
    const found = (await (await askServer(server, `/jobs/${id}.json`)).json()) as JobDetails
    if (isWanted(found)) return found
    if (found.status?.state === 'failed') throw new Error(`job ${id} failed: ${JSON.stringify(found.status.failure)}`)
    if (isOff) throw new Error(`${machine.name} went off: ${machine.console.tail(10).join('\n')}`)
    await sleep(1000)
  }
}

/** What the server has told of a machine so far. */
export const eventsOf = async ({ data }: Pick<StartedServer, 'data'>, { id }: Pick<Machine, 'id'>): Promise<MachineEvent[]> =>
  (await readFile(join(data, 'events.ndjson'), 'utf8'))
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as MachineEvent)
    .filter(({ machine }) => machine === id)
