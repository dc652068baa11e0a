import { spawn } from 'node:child_process'
import { access, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Writable } from 'node:stream'
import { pino } from 'pino'
import { expect, onTestFinished, test } from 'vitest'
import type { CredentialAnswer } from '../../../server/api/credential.ts'
import { openBenchMachine, smallJob } from './bench-machine.ts'
import { openJobServer, until } from './job-server.ts'

const isThere = (path: string) => access(path).then(() => true, () => false)

/** The command lines of all processes that there are. */
async function commandLines(): Promise<string[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name))
  return Promise.all(pids.map((pid) => readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')))
}

test('no ticket, credential, token or claim shows in a command line, a log or a file that tells what happened, and a used ticket is worth nothing', { timeout: 300_000 }, async () => {
  let serverLog = ''
  const stream = new Writable({ write: (chunk, _, done) => ((serverLog += String(chunk)), done()) })
  const server = await openJobServer({ log: pino({ level: 'trace' }, stream) })
  const bench = await openBenchMachine()
  const admin = await server.tokens.create({ role: 'admin', name: 'root' })
  const signedIn = await fetch(`${server.url}/session`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ token: admin }) })
  const session = /ingot-session=([^;]+)/.exec(signedIn.headers.get('set-cookie') ?? '')?.[1]
  const ticket = await server.ticket()
  await server.addJob({ id: 'a' }, await smallJob(server.components, 'echo begun; while [ ! -e /go ]; do sleep 0.05; done; echo going on'))

  const seen = new Set<string>()
  const worker = await bench.startWorker({ ...server, url: server.url, directory: server.directory, tokens: server.tokens, components: server.components, ticket: async () => ticket })
  const ingot = join(import.meta.dirname, '../../../server/ingot')
  const follower = spawn(ingot, ['job', 'log', 'a', '--follow'], { stdio: 'ignore', env: { PATH: process.env.PATH, INGOT_SERVER: server.url, INGOT_TOKEN: admin } })
  onTestFinished(() => void follower.kill('SIGKILL'))
  const watch = async (isSo: () => Promise<boolean>) =>
    until(async () => {
      for (const line of await commandLines()) seen.add(line.replaceAll('\0', ' '))
      return isSo()
    })
  await watch(async () => String(await server.log('a')).includes('begun'))
  const { credential } = JSON.parse(await readFile(join(bench.stateDirectory, 'credentials.json'), 'utf8')) as CredentialAnswer
  const records = await readdir(join(bench.stateDirectory, 'claims'))
  const { claim } = JSON.parse(await readFile(join(bench.stateDirectory, 'claims', records[0]!), 'utf8')) as { claim: string }
  const exchange = await fetch(`${server.url}/credentials`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ ticket }) })
  expect(exchange.status).toBe(401)
  await writeFile(join(bench.target, 'go'), '')
  await watch(() => isThere(join(server.directory, 'performed', 'a.json')))

  const secrets = { ticket, credential, claim, admin, session }
  for (const [name, secret] of Object.entries(secrets)) expect([name, secret]).toEqual([name, expect.stringMatching(/^[A-Za-z0-9_-]{43,}$/)])
  const told = {
    'command lines': [...seen].join('\n'),
    'the log of the server': serverLog,
    'the log of the worker': worker.output(),
    'the log of the job': String(await server.log('a').catch(() => '')) + (await readFile(join(server.directory, 'logs', 'a.log'), 'utf8').catch(() => '')),
    events: await readFile(join(server.directory, 'events.ndjson'), 'utf8'),
    'the audit trail': await readFile(join(server.directory, 'audit.ndjson'), 'utf8'),
    'what was performed': await readFile(join(server.directory, 'performed', 'a.json'), 'utf8'),
  }
  expect(told['command lines']).toContain('worker-process.ts')
  expect(told['command lines']).toContain('job log a --follow')
  for (const [where, text] of Object.entries(told)) {
    expect([where, text.length]).toEqual([where, expect.toSatisfy((length: number) => length > 50)])
    for (const [name, secret] of Object.entries(secrets)) expect(text.includes(secret!), `${name} in ${where}`).toBe(false)
  }
})
