import { globSync } from 'node:fs'
import { chown, mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Client } from 'pg'
import { run, start, type StartedProgram } from '../../appliance/run.ts'

/** A PostgreSQL of Debian's with a data directory of its own, reached by a Unix socket in it. */
export interface TestPostgres {
  /** Makes an empty database and returns its address, for example `postgres://ingot@%2Ftmp%2Fingot-postgres-Xy12/job_store_1`. */
  createDatabase(): Promise<string>
  /** Kills it and all its processes with SIGKILL, as a power cut would; what they have written is still there. */
  kill(): Promise<void>
  /** Starts it again, with recovery when it was killed. */
  start(): Promise<void>
  /** Stops it and takes its directory away. */
  remove(): Promise<void>
}

/** The newest that is installed, which may be any of Debian's. */
function findPrograms(): string {
  const [newest] = globSync('/usr/lib/postgresql/*/bin/postgres').toSorted((one, other) => other.localeCompare(one, 'en', { numeric: true }))
  if (newest === undefined) throw new Error('expected PostgreSQL in /usr/lib/postgresql, got none: apt-get install postgresql')
  return dirname(newest)
}

/** One that nobody has waited for yet is dead too. */
async function isAlive(pid: number): Promise<boolean> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '')
  return stat !== '' && !/\) [ZX] /.test(stat)
}

/** PostgreSQL refuses to run as root; and it ends with us, however we end. */
async function asOrdinaryUser(): Promise<{ prefix: readonly string[]; ids: { uid: number; gid: number } | undefined }> {
  const withUs = ['--pdeathsig', 'INT']
  if (process.getuid?.() !== 0) return { prefix: withUs, ids: undefined }
  const [uid, gid] = [await run('id', ['-u', 'postgres']), await run('id', ['-g', 'postgres'])]
  return { prefix: ['--reuid', uid, '--regid', gid, '--clear-groups', ...withUs], ids: { uid: Number(uid), gid: Number(gid) } }
}

/** Starts a PostgreSQL of its own for a test file; end it with `remove`. `durable`: it waits for the disk, as it does by default. */
export async function startPostgres({ durable = false }: { durable?: boolean } = {}): Promise<TestPostgres> {
  const programs = findPrograms()
  const { prefix, ids } = await asOrdinaryUser()
  const directory = await mkdtemp(join(tmpdir(), 'ingot-postgres-'))
  const data = join(directory, 'data')
  const urlOf = (database: string) => `postgres://ingot@${encodeURIComponent(directory)}/${database}`
  let server: StartedProgram | undefined
  let databases = 0

  const ask = async (statement: string): Promise<void> => {
    const client = new Client(urlOf('postgres'))
    await client.connect()
    try {
      await client.query(statement)
    } finally {
      await client.end()
    }
  }

  const startServer = async (): Promise<void> => {
    // A kill leaves what was handed to the kernel: tests need not wait for the disk.
    const settings = ['listen_addresses=', `unix_socket_directories=${directory}`, ...(durable ? [] : ['fsync=off'])].flatMap((each) => ['-c', each])
    const started = await start('setpriv', [...prefix, join(programs, 'postgres'), '-D', data, ...settings], { cwd: directory })
    let ended = false
    void started.ended.then(() => (ended = true))
    server = started
    for (;;) {
      try {
        return await ask('SELECT')
      } catch (error) {
        if (ended) throw new Error(`PostgreSQL ended: ${(await started.ended).lastLines.join('\n')}`, { cause: error })
        await sleep(20)
      }
    }
  }

  const stop = async (signal: 'SIGINT' | 'SIGKILL'): Promise<void> => {
    if (server === undefined) return
    const children = (await readFile(`/proc/${server.pid}/task/${server.pid}/children`, 'utf8').catch(() => '')).split(' ').map(Number).filter((pid) => pid > 0)
    server.kill(signal)
    if (signal === 'SIGKILL') for (const pid of children) if (await isAlive(pid)) process.kill(pid, signal)
    await server.ended
    // The memory that they share must be nobody's before the next start.
    for (const pid of children) while (await isAlive(pid)) await sleep(5)
    server = undefined
  }
  const remove = async (): Promise<void> => {
    await stop('SIGINT')
    await rm(directory, { recursive: true, force: true })
  }

  try {
    if (ids !== undefined) await chown(directory, ids.uid, ids.gid)
    await run('setpriv', [...prefix, join(programs, 'initdb'), '-D', data, '--username=ingot', '--auth=trust', '--encoding=UTF8', '--no-locale', '--no-sync'], { cwd: directory })
    await startServer()
  } catch (error) {
    await remove()
    throw error
  }
  return {
    async createDatabase() {
      const name = `job_store_${++databases}`
      await ask(`CREATE DATABASE ${name}`)
      return urlOf(name)
    },
    kill: () => stop('SIGKILL'),
    start: startServer,
    remove,
  }
}
