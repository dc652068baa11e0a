import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pino } from 'pino'
import { run, start } from '../../../appliance/run.ts'
import { configWithoutNetboot } from '../../../server/config.ts'
import { startFirstComputer } from '../../../server/first-computer.ts'
import { openTokens, type Tokens } from '../../../server/tokens.ts'
import { fillData, type FillOptions } from './fill-data.ts'

/** A first computer on a data directory that was filled before, without boot services. */
export interface ConsoleServer {
  url: string
  directory: string
  tokens: Tokens
  /** Asks as an operator. */
  ask: (method: string, path: string, body?: unknown) => Promise<Response>
  /** Ends the server and starts it anew at the same address. */
  restart: () => Promise<void>
  close: () => Promise<void>
}

export async function openConsoleServer(fill: FillOptions, prepare: (directory: string) => Promise<void> = async () => {}): Promise<ConsoleServer> {
  const directory = await mkdtemp(join(tmpdir(), 'ingot-console-'))
  await mkdir(join(directory, 'images'), { recursive: true })
  await fillData(directory, fill)
  await prepare(directory)
  const startAt = (listen: string) => startFirstComputer({ config: configWithoutNetboot({ data: directory, listen }), log: pino({ level: 'silent' }), run, start })
  let server = await startAt('127.0.0.1:0')
  const { url } = server
  const tokens = openTokens(directory)
  const operator = await tokens.create({ role: 'operator', name: 'test' })
  return {
    url,
    directory,
    tokens,
    ask: (method, path, body) =>
      fetch(`${url}${path}`, {
        ...{ method, headers: { authorization: `Bearer ${operator}`, ...(body === undefined ? {} : { 'content-type': 'application/json' }) } },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      }),
    async restart() {
      await server.close()
      server = await startAt(new URL(url).host)
    },
    async close() {
      await server.close()
      await rm(directory, { recursive: true, force: true })
    },
  }
}
