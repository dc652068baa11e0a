import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Command } from 'commander'
import { pino } from 'pino'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { run, start } from '../../../appliance/run.ts'
import { addDeploy } from '../../../server/commands/deploy.ts'
import { addJob } from '../../../server/commands/job.ts'
import { addMachine } from '../../../server/commands/machine.ts'
import { machineId, openJobServer, type JobServer } from '../http/job-server.ts'

const key = `ssh-ed25519 ${'A'.repeat(68)} ops@example`
let server: JobServer
let url: string
let folder: string
beforeEach(async () => {
  server = await openJobServer()
  url = await server.app.listen({ host: '127.0.0.1', port: 0 })
  folder = await mkdtemp(join(tmpdir(), 'ingot-keys-'))
})
afterEach(async () => {
  await server.close()
  await rm(folder, { recursive: true })
})

/** Runs the command as `main.ts` does, on the real server. */
async function ingot(...args: string[]): Promise<string[]> {
  const printed: string[] = []
  const context = {
    ...{ run, start, log: pino({ level: 'silent' }), output: process.stdout, say: () => {}, signal: new AbortController().signal, columns: undefined, exit: () => {} },
    print: (line: string) => void printed.push(...line.split('\n')),
    env: { INGOT_SERVER: url, INGOT_TOKEN: server.credentials.operator },
  }
  const program = new Command('ingot').exitOverride().configureOutput({ writeErr: () => {} })
  for (const add of [addDeploy, addJob, addMachine]) add(program, context)
  await program.parseAsync(args, { from: 'user' })
  return printed
}
const keyFile = async (text: string) => {
  const path = join(folder, 'keys.pub')
  await writeFile(path, text)
  return path
}

test('says everything of a deployment', async () => {
  const keys = await keyFile(`# of the team\n${key}\n\n`)
  const identity = ['--hostname', 'web-1.example', '--ssh-key', keys, '--user', 'ops', 'dev', '--sudo', '--groups', 'adm']
  const network = ['--network', '192.0.2.10/24', '2001:db8::1/64', '--gateway', '192.0.2.1', '--name-servers', '192.0.2.1', '--search-domains', 'example', '--interface', '52-54-00-AA-BB-CC']
  const printed = await ingot('deploy', 'web:web-1', '--id', 'a', '--machine', '52:54:00:00:00:01', '--priority', '2', '--disk', 'serial=S1', 'minSize=8GiB', ...identity, ...network)
  expect(printed).toEqual(['a'])
  const user = { groups: ['adm'], sudo: true }
  expect((await server.jobs.list())[0]).toMatchObject({
    ...{ id: 'a', assignedTo: machineId, priority: 2 },
    deploy: {
      ...{ image: 'web', version: 'web-1', hostname: 'web-1.example', sshKeys: [key], users: [{ name: 'ops', ...user }, { name: 'dev', ...user }], disk: { serial: 'S1', minSize: '8GiB' } },
      network: { mac: '52:54:00:aa:bb:cc', addresses: ['192.0.2.10/24', '2001:db8::1/64'], gateway: '192.0.2.1', nameServers: ['192.0.2.1'], searchDomains: ['example'] },
    },
  })
  expect((await ingot('job', 'list'))[1]).toMatch(/^a +available +2 +deploy web:web-1/)
  expect(await ingot('job', 'show', 'a')).toEqual(expect.arrayContaining(['  deploys      web:web-1', '  as           web-1.example', '  users        ops, dev', '  disk         serial=S1 minSize=8GiB']))
})

test('needs no more than the image, also by its digest', async () => {
  const digest = `sha256:${'1'.repeat(64)}`
  await ingot('deploy', 'web')
  await ingot('deploy', `web@${digest}`, '--network', 'dhcp')
  expect((await server.jobs.list()).map(({ deploy }) => deploy)).toEqual([{ image: 'web' }, { image: 'web', version: digest, network: { addresses: 'dhcp' } }])
})

test.each<[args: string[], message: string | RegExp]>([
  [['--sudo'], 'expected --user beside --sudo, got none'],
  [['--gateway', '192.0.2.1'], 'expected --network beside what it is to have, got none'],
  [['--ssh-key', '/nonexistent'], /^--ssh-key: ENOENT/],
])('%j is refused', async (args, message) => {
  await expect(ingot('deploy', 'web', ...args)).rejects.toThrow(message)
})

test('a private key and a wrong name do not get as far as the server', async () => {
  const secret = await keyFile('-----BEGIN OPENSSH PRIVATE KEY-----\n')
  await expect(ingot('deploy', 'web', '--ssh-key', secret)).rejects.toThrow(`--ssh-key: expected a file of public keys, got the private key ${secret}`)
  await expect(ingot('deploy', 'web', '--hostname', 'web_1')).rejects.toMatchObject({ problems: ['hostname: expected a host name, like web-1 or web-1.example, got "web_1"'] })
  expect(await server.jobs.list()).toEqual([])
})

test('F6 a machine that belongs to its system is shown as such, and given back', async () => {
  const digest = `sha256:${'1'.repeat(64)}`
  await server.machines.settle(machineId, { job: 'a', image: 'web', version: 'web-1', digest, deployedAt: '2026-11-24T00:00:00Z' })
  expect(await ingot('machine', 'list', '--data', server.directory)).toContain('  system  web:web-1, deployed by a at 2026-11-24T00:00:00Z; it boots its disk')
  expect(await ingot('machine', 'release', '52:54:00:00:00:01')).toEqual([`${machineId}: boots the worker again`])
  expect((await server.machines.read(machineId)).system).toBeUndefined()
})
