import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { run } from '../../../appliance/run.ts'
import { startMaster, type Master } from '../../../server/master/start-master.ts'
import { openTokens, type Tokens } from '../../../server/tokens.ts'
import { log } from '../../appliance/worker/job-server.ts'

export interface Answer {
  status: number
  headers: Headers
  /** Parsed when it is JSON. */
  body: any
}

/** A master as `ingot master` runs it, whose port and directory stay its own when it is stopped and started again. */
export interface TestMaster {
  readonly url: string
  readonly tokens: Tokens
  start(): Promise<void>
  stop(): Promise<void>
  worker(method: string, path: string, init?: AskInit): Promise<Answer>
  operator(method: string, path: string, init?: AskInit): Promise<Answer>
}

export interface AskInit {
  json?: unknown
  body?: BodyInit
  headers?: Record<string, string>
  signal?: AbortSignal
}

export type Behind = { url: string; tokens: Tokens }

/** What a master needs to know of a server behind it. */
const known = async (name: string, { url, tokens }: Behind) => ({
  name,
  url,
  credentials: { worker: await tokens.create({ role: 'worker', name: 'master' }), operator: await tokens.create({ role: 'operator', name: 'master' }) },
})

export const asker =
  (url: () => string, credential: string) =>
  async (method: string, path: string, { json, body, headers, signal }: AskInit = {}): Promise<Answer> => {
    const response = await fetch(`${url()}${path}`, {
      method,
      headers: { authorization: `Bearer ${credential}`, ...(json === undefined ? {} : { 'content-type': 'application/json' }), ...headers },
      ...(json === undefined ? (body === undefined ? {} : { body }) : { body: JSON.stringify(json) }),
      ...(signal === undefined ? {} : { signal }),
    })
    const text = await response.text()
    return { status: response.status, headers: response.headers, body: response.headers.get('content-type')?.includes('json') === true && text !== '' ? JSON.parse(text) : text }
  }

/** Starts a master in front of these servers, in their order, as they are at each start; goes with the test. */
export async function openMaster(behind: Record<string, Behind>): Promise<TestMaster> {
  const dataDirectory = await mkdtemp(join(tmpdir(), 'ingot-master-'))
  const tokens = openTokens(dataDirectory)
  const worker = await tokens.create({ role: 'worker', name: 'rack' })
  const operator = await tokens.create({ role: 'operator', name: 'ci' })
  let port = 0
  let running: Master | undefined
  const url = () => `http://127.0.0.1:${port}`
  const master: TestMaster = {
    get url() {
      return url()
    },
    tokens,
    async start() {
      const firstComputers = await Promise.all(Object.entries(behind).map(([name, server]) => known(name, server)))
      running = await startMaster({ config: { dataDirectory, listen: { address: '127.0.0.1', port }, tls: undefined, firstComputers, openMetrics: false }, log, run })
      port = Number(new URL(running.url).port)
    },
    async stop() {
      await running?.close()
      running = undefined
    },
    worker: asker(url, worker),
    operator: asker(url, operator),
  }
  onTestFinished(async () => {
    await master.stop()
    await rm(dataDirectory, { recursive: true })
  })
  await master.start()
  return master
}
