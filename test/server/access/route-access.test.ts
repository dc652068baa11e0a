import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pino } from 'pino'
import { afterAll, describe, expect, test } from 'vitest'
import { run, start } from '../../../appliance/run.ts'
import { configWithoutNetboot } from '../../../server/config.ts'
import { startFirstComputer } from '../../../server/first-computer.ts'
import { createApp } from '../../../server/http/app.ts'
import { listenAt } from '../../../server/listen-address.ts'
import { startMaster } from '../../../server/master/start-master.ts'
import { bootRoutes } from '../../../server/netboot/boot-routes.ts'
import { openTokens } from '../../../server/tokens.ts'
import { askers, atMaster, table, type Asker, type Row } from './access-table.ts'

const log = pino({ level: 'silent' })
const directory = await mkdtemp(join(tmpdir(), 'ingot-access-'))

/** A server with a credential of each role; nobody has none. */
interface Served {
  url: string
  routes: readonly string[]
  credentials: ReadonlyMap<Asker, string>
  close(): Promise<void>
}

async function credentialsIn(data: string): Promise<ReadonlyMap<Asker, string>> {
  const tokens = openTokens(data)
  const made = askers.flatMap((asker) => (asker === 'nobody' ? [] : [asker])).map(async (role) => [role, await tokens.create({ role, name: role })] as const)
  return new Map(await Promise.all(made))
}

async function openAll(): Promise<Record<string, Served>> {
  const firstData = join(directory, 'first')
  const first = await startFirstComputer({ config: configWithoutNetboot({ data: firstData, listen: '127.0.0.1:0' }), log, run, start })
  const firstCredentials = await credentialsIn(firstData)

  const masterData = join(directory, 'master')
  const credentials = { worker: firstCredentials.get('worker')!, operator: firstCredentials.get('operator')! }
  const config = { dataDirectory: masterData, listen: { address: '127.0.0.1', port: 0 }, tls: undefined, openMetrics: false, firstComputers: [{ name: 'a', url: first.url, credentials }] }
  const master = await startMaster({ config, log, run })

  const app = createApp({ log })
  const path = join(directory, 'file')
  await writeFile(path, 'x')
  const appliance = { kernel: path, initramfs: path, stage2: path, inventory: path }
  const hooks = { issueTicket: async () => 'ticket', knownAtBoot: async () => ({ hasWork: true, isAdmitted: false }), onWaiting: async () => {}, machineAt: () => undefined, whyNotAt: () => undefined, emit: () => {} }
  await app.register(bootRoutes, { httpUrl: 'http://10.77.0.1:8080', stage2Digest: 'sha256:0', appliance, bootFiles: new Map([['snponly.efi', { path }]]), ...hooks })
  const boot = { url: await listenAt(app, { address: '127.0.0.1', port: 0 }), routes: app.listedRoutes, close: () => app.close() }

  // Those behind it last.
  return {
    'what machines boot from': { ...boot, credentials: await credentialsIn(join(directory, 'boot')) },
    'a master': { ...master, credentials: await credentialsIn(masterData) },
    'a first computer': { ...first, credentials: firstCredentials },
  }
}

/** Whether whoever asks is let in, whatever comes of what they ask. */
async function isLetIn({ url, credentials }: Served, { route, path, json, text, headers = {} }: Row, asker: Asker): Promise<boolean> {
  const credential = credentials.get(asker)
  const answer = await fetch(`${url}${path}`, {
    method: route.slice(0, route.indexOf(' ')),
    headers: {
      ...(json === undefined ? {} : { 'content-type': 'application/json' }),
      ...headers,
      ...(headers.origin === 'own' ? { origin: url } : {}),
      ...(credential === undefined ? {} : { authorization: `Bearer ${credential}` }),
    },
    ...(json === undefined ? (text === undefined ? {} : { body: text }) : { body: JSON.stringify(json) }),
    signal: AbortSignal.timeout(60_000),
  })
  const said = answer.status === 401 || answer.status === 403 ? await answer.text() : ''
  await answer.body?.cancel().catch(() => {})
  // A ticket or a token that is unknown is no business of roles.
  return !/header Authorization: |this needs the role/.test(said)
}

const all = Object.entries(await openAll())
afterAll(async () => {
  for (const [, served] of all) await served.close()
  await rm(directory, { recursive: true })
})

/** HEAD is answered wherever GET is, by the same handler. */
const routesOf = ({ routes }: Served): string[] => [...new Set(routes.map((route) => route.replace(/^HEAD /, 'GET ')))]

describe.each(all)('%s', { timeout: 120_000 }, (what, served) => {
  const rows = table.filter(({ route }) => routesOf(served).includes(route))

  test('has no route that is not in the table', () => {
    expect(routesOf(served).filter((route) => !rows.some((row) => row.route === route))).toEqual([])
  })

  test.each(rows.map((row) => [`${row.route} ${row.target ?? ''}`.trim(), row] as const))('%s lets in who is to be let in, and nobody else', async (_, row) => {
    const wanted = what === 'a master' ? atMaster(row) : row
    const letIn = []
    for (const asker of askers) if (await isLetIn(served, wanted, asker)) letIn.push(asker)
    expect(letIn).toEqual(wanted.letIn)
  })
})

test('a credential of an earlier boot of a machine opens nothing that is not open to everyone', { timeout: 120_000 }, async () => {
  const tokens = openTokens(join(directory, 'first'))
  const { boot } = (await tokens.redeemTicket(await tokens.createTicket('52-54-00-00-00-99', 60)))!
  const worker = await tokens.create({ role: 'worker', name: '52-54-00-00-00-99', isMachine: true }, 60, boot)
  await tokens.redeemTicket(await tokens.createTicket('52-54-00-00-00-99', 60))
  const first = { ...all.at(-1)![1], credentials: new Map([['worker', worker] as const]) }
  for (const row of table.filter(({ route }) => routesOf(first).includes(route))) expect([row.route, row.target, await isLetIn(first, row, 'worker')]).toEqual([row.route, row.target, row.letIn.includes('nobody')])
})

test('the table has no row for a route that no server has', () => {
  const routes = all.flatMap(([, served]) => routesOf(served))
  expect(table.map(({ route }) => route).filter((route) => !routes.includes(route))).toEqual([])
})
