import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { besideWorker, bundleWorker } from '../../../appliance/os/bundle-worker.ts'
import type { Start, StartedProgram } from '../../../appliance/run.ts'
import type { Contender } from './contender.ts'
import type { IngotDone, IngotTask } from './ingot-worker.ts'
import { scenarios } from './options.ts'

/** Ingot over HTTP to a server of its own, which reads every image back before it publishes it. */
export async function openIngot(directory: string, start: Start): Promise<Contender> {
  const store = join(directory, 'store')
  await mkdir(store, { recursive: true })
  const listening = Promise.withResolvers<string>()
  const program = await bundleInto(directory)
  // As `ingot serve` is started (server/ingot); the appliance starts its worker without flags (stage2/init).
  const server = await startNode(start, join(import.meta.dirname, 'image-server.ts'), store, {
    onMessage: (message) => listening.resolve(String(message)),
    flags: ['--initial-heap-size=128'],
    env: { UV_THREADPOOL_SIZE: '64' },
  })
  void server.ended.then(({ lastLines }) => listening.reject(new Error(`the image server ended: ${lastLines.join('\n')}`)))
  const url = await listening.promise

  const perform = async (task: IngotTask): Promise<IngotDone> => {
    let done: IngotDone | undefined
    const before = await cpuMsOf(server.pid)
    const worker = await startNode(start, program, JSON.stringify(task), { onMessage: (message) => (done = message as IngotDone) })
    const { lastLines } = await worker.ended
    if (done === undefined) throw new Error(`the worker ended: ${lastLines.join('\n')}`)
    return { ...done, cpuMs: done.cpuMs + (await cpuMsOf(server.pid)) - before }
  }
  return {
    capture: (devices, scenario) => perform({ kind: 'capture', url, version: `v${scenarios.indexOf(scenario)}`, devices }),
    restore: (devices, scenario) => perform({ kind: 'restore', url, version: `v${scenarios.indexOf(scenario)}`, devices }),
    async close() {
      server.kill('SIGTERM')
      await server.ended
    },
  }
}

/** The worker is bundled, as it is in the appliance: its threads begin at once. */
async function bundleInto(directory: string): Promise<string> {
  const bundle = await bundleWorker({ worker: join(import.meta.dirname, 'ingot-worker.ts'), ...besideWorker }, 'bench')
  for (const [name, bytes] of bundle) await writeFile(join(directory, name), bytes)
  return join(directory, 'worker.mjs')
}

interface NodeOptions {
  onMessage: (message: unknown) => void
  flags?: readonly string[]
  env?: Record<string, string>
}

const startNode = (start: Start, file: string, argument: string, { onMessage, flags = [], env = {} }: NodeOptions): Promise<StartedProgram> =>
  start(process.execPath, [...flags, file, argument], { onMessage, env })

/** proc(5), `stat`, fields 14 and 15 in hundredths of a second. */
async function cpuMsOf(pid: number): Promise<number> {
  const fields = (await readFile(`/proc/${pid}/stat`, 'utf8')).split(' ')
  return (Number(fields[13]) + Number(fields[14])) * 10
}
