import { mkdir, readFile } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Start, StartOptions } from '../../../appliance/run.ts'
import type { ServedFiles } from './served-files.ts'

/** A server that is being measured. */
export interface Serving {
  stop(): Promise<void>
}

export interface ServeOptions {
  files: ServedFiles
  /** For its configuration and its leases; made empty for it. */
  directory: string
  start: Start
}

export interface Listening {
  protocol: 'udp' | 'tcp'
  port: number
}

/** Where the kernel lists the ports of a network namespace: proc(5), `/proc/net/udp`; a listening TCP socket is in state 0A. */
async function isListening({ protocol, port }: Listening): Promise<boolean> {
  const lines = (await readFile(`/proc/self/net/${protocol}`, 'utf8')).split('\n').map((line) => line.trim().split(/\s+/))
  const hex = port.toString(16).toUpperCase().padStart(4, '0')
  return lines.some(([, local = '', , state]) => local.endsWith(`:${hex}`) && (protocol === 'udp' || state === '0A'))
}

/** Starts a server and waits until it listens. Throws what it said when it ends before. */
export async function startServing(argv: readonly [string, ...string[]], until: Listening, { directory, start }: ServeOptions, more: StartOptions = {}): Promise<Serving> {
  await mkdir(directory, { recursive: true })
  const [program, ...args] = argv
  const server = await start(program, args, more)
  // Nobody reads what it writes there.
  server.stdout?.resume()
  let ended = false
  void server.ended.then(() => (ended = true))
  while (!(await isListening(until))) {
    if (ended) throw new Error(`${server.command} ended: ${(await server.ended).lastLines.join('\n')}`)
    await sleep(20)
  }
  return {
    async stop() {
      server.kill('SIGTERM')
      await server.ended
      while (await isListening(until)) await sleep(20)
    },
  }
}
