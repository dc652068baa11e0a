import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeEach, expect, onTestFinished, test } from 'vitest'
import { openJobServer, type JobServer } from '../../appliance/worker/job-server.ts'

const ingot = join(import.meta.dirname, '../../../server/ingot')

let directory: string
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'ingot-master-'))
  return () => rm(directory, { recursive: true })
})

/** Runs the command to its end while the servers of this process go on. */
const call = (args: string[], env: NodeJS.ProcessEnv = {}) =>
  new Promise<{ code: number | string; stdout: string; stderr: string }>((resolve) => {
    execFile(ingot, args, { env: { PATH: process.env.PATH, ...env } }, (error, stdout, stderr) => resolve({ code: error?.code ?? 0, stdout, stderr }))
  })

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1')
  await once(probe, 'listening')
  const { port } = probe.address() as AddressInfo
  probe.close()
  return port
}

async function writeConfig(listen: string, servers: Record<string, JobServer>): Promise<string> {
  const firstComputers = await Promise.all(
    Object.entries(servers).map(async ([name, { url, tokens }]) => ({
      name,
      url,
      credentials: { worker: await tokens.create({ role: 'worker', name: 'master' }), operator: await tokens.create({ role: 'operator', name: 'master' }) },
    })),
  )
  const file = join(directory, 'master.yaml')
  await writeFile(file, JSON.stringify({ data: 'data', listen, firstComputers }))
  return file
}

test('B19 `ingot job` sees no difference between a master and a first computer, and `ingot master` ends at once and with 0 when it is told to', async () => {
  const [a, b] = [await openJobServer(), await openJobServer()]
  await a.addJob({ id: 'web-1' })
  await b.addJob({ id: 'db-1', priority: 5 })
  const listen = `127.0.0.1:${await freePort()}`
  const config = await writeConfig(listen, { 'hall-a': a, 'hall-b': b })
  const master = spawn(ingot, ['master', '--config', config], { stdio: ['ignore', 'ignore', 'pipe'] })
  onTestFinished(() => void master.kill('SIGKILL'))
  for await (const chunk of master.stderr) if (String(chunk).includes('master up')) break

  const token = (await call(['token', 'create', '--role', 'operator', '--data', join(directory, 'data')])).stdout.trim()
  const env = { INGOT_SERVER: `http://${listen}`, INGOT_TOKEN: token }
  const list = await call(['job', 'list'], env)
  expect([list.code, list.stderr]).toEqual([0, ''])
  expect(list.stdout.indexOf('hall-b.db-1')).toBeGreaterThan(-1)
  expect(list.stdout.indexOf('hall-a.web-1')).toBeGreaterThan(list.stdout.indexOf('hall-b.db-1'))
  expect((await call(['job', 'cancel', 'hall-a.web-1'], env)).code).toBe(0)
  expect((await call(['job', 'show', 'hall-a.web-1', '--json'], env)).stdout).toMatch(/"id":"hall-a\.web-1".*"state":"cancelled"/)
  await b.stop()
  expect((await call(['job', 'list'], env)).stderr).toMatch(/first computer 'hall-b' cannot be reached since/)
  const refused = await call(['job', 'cancel', 'hall-b.db-1'], env)
  expect([refused.code, refused.stderr]).toEqual([2, expect.stringMatching(/first computer 'hall-b' cannot be reached since/)])

  // Also while someone follows its events.
  const follower = await fetch(`http://${listen}/events`, { headers: { authorization: `Bearer ${token}` } })
  master.kill('SIGTERM')
  expect((await once(master, 'exit'))[0]).toBe(0)
  await follower.body!.cancel().catch(() => {})
}, 60_000)

test('every wrong field of a configuration is told at once, before a socket opens, with exit code 2', async () => {
  const file = join(directory, 'master.yaml')
  await writeFile(file, 'data: d\nlisten: here\nfirstComputers: []\n')
  const { code, stderr } = await call(['master', '--config', file])
  expect(code).toBe(2)
  expect(stderr).toContain('listen: expected an address and a port like 192.0.2.1:8080, got "here"')
  expect(stderr).toContain('firstComputers: expected at least 1 of them')
})

test('a port that is taken is told with how to find by whom, and a file that cannot be read with its name', async () => {
  const a = await openJobServer()
  const taken = await call(['master', '--config', await writeConfig(new URL(a.url).host, { a })])
  expect([taken.code, taken.stderr]).toEqual([2, expect.stringContaining(`${new URL(a.url).host} is taken by another program`)])
  const missing = await call(['master', '--config', join(directory, 'nowhere.yaml')])
  expect([missing.code, missing.stderr]).toEqual([2, expect.stringContaining('nowhere.yaml')])
})

test('--help tells what a master is, with an example of its configuration', async () => {
  expect((await call(['--help'])).stdout).toMatch(/^ {2}master\b/m)
  expect((await call(['master', '--help'])).stdout).toMatch(/firstComputers:\n {4}- name: hall-a/)
})
