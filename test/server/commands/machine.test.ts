import { appendFile, mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Command } from 'commander'
import { pino } from 'pino'
import { beforeEach, describe, expect, test } from 'vitest'
import { run, start } from '../../../appliance/run.ts'
import { addMachine } from '../../../server/commands/machine.ts'
import { openJobServer, type JobServer } from '../../appliance/worker/job-server.ts'
import { inventory, machineId } from '../http/job-server.ts'
import { asked, eventsOf, given, machine, offered, stalled, wants, wayTo } from '../timeline/machine-events.ts'

let server: JobServer
let token: string
beforeEach(async () => {
  server = await openJobServer()
  token = await server.tokens.create({ role: 'operator', name: 'ci' })
  const stuck = [asked(), offered('undionly.kpxe'), given('undionly.kpxe'), ...[1, 2, 3].flatMap(() => [wants('undionly.kpxe'), stalled('undionly.kpxe', 1)])]
  const events = eventsOf([...wayTo('script'), ...stuck])
  await writeFile(join(server.directory, 'events.ndjson'), events.map((event) => `${JSON.stringify(event)}\n`).join(''))
  await fetch(`${server.url}/machines/${machineId}.json`, {
    method: 'PUT',
    headers: { authorization: `Bearer ${await server.tokens.create({ role: 'worker', name: machineId })}`, 'content-type': 'application/json' },
    body: JSON.stringify(inventory()),
  })
  // Events are gathered for a moment before they are written.
  await expect.poll(() => readFile(join(server.directory, 'events.ndjson'), 'utf8')).toContain(machineId)
})

const ingot = (...args: string[]): Promise<string[]> => ingotUntil(() => false, ...args)

/** Presses Ctrl-C once what it printed is as `isEnough` says. */
async function ingotUntil(isEnough: (printed: readonly string[]) => boolean, ...args: string[]): Promise<string[]> {
  const printed: string[] = []
  const interrupt = new AbortController()
  const ignore = () => undefined
  const context = {
    ...{ run, start, log: pino({ level: 'silent' }), output: process.stdout, say: ignore, exit: ignore, columns: undefined },
    ...{ signal: interrupt.signal, env: { INGOT_SERVER: server.url, INGOT_TOKEN: token } },
    print(line: string) {
      printed.push(line)
      if (isEnough(printed)) interrupt.abort()
    },
  }
  const program = new Command('ingot').exitOverride().configureOutput({ writeOut: ignore, writeErr: ignore })
  addMachine(program, context)
  await program.parseAsync(args, { from: 'user' })
  return printed
}

const what = 'asked for undionly.kpxe three times, never acknowledged block 1'
const since = '2026-11-23T21:20:17.000Z'

describe.each([
  ['from the server', () => []],
  ['from its data directory', () => ['--data', server.directory]],
])('F8 %s', (_, where) => {
  test('`ingot machines` shows each machine that was heard of, where it is and why it stopped', async () => {
    expect(await ingot('machines', ...where())).toEqual([
      expect.stringMatching(`^${machineId}  QEMU pc, bios`),
      expect.stringMatching(/^ {2}idle: waits for a job \(since /),
      machine,
      `  stopped: ${what} (since ${since})`,
      '  likely cause: check the firewall for UDP high ports: TFTP sends a file from a port of its own, and not from 69',
    ])
    expect(await ingot('machine', 'list', ...where())).toEqual(await ingot('machines', ...where()))
    expect(JSON.parse((await ingot('machines', '--json', ...where())).join(''))).toMatchObject([{ id: machineId, inventory: { model: 'pc' }, now: { state: 'idle' } }, { id: machine, now: { state: 'stopped', what, since } }])
  })
  test('`ingot machine show` tells the hops of its last boot, or of all', async () => {
    const shown = await ingot('machine', 'show', machine.replaceAll('-', ':').toUpperCase(), ...where())
    expect(shown.slice(0, 3)).toEqual([machine, `  stopped: ${what} (since ${since})`, expect.stringContaining('likely cause')])
    expect(shown.slice(4, 8)).toEqual([
      expect.stringMatching(/^TIME +SINCE +HOP/),
      expect.stringMatching(/^2026-11-23T21:20:09\.000Z {4}0:00\.0 {3}DHCP asked +BIOS$/),
      expect.stringMatching(/0:01\.0 {3}DHCP offer +10\.77\.0\.100, boots from undionly\.kpxe$/),
      expect.stringMatching(/0:02\.0 {3}DHCP +10\.77\.0\.100, boots from undionly\.kpxe$/),
    ])
    expect(shown.at(-1)).toMatch(/TFTP stalled +undionly\.kpxe, block 1 not acknowledged$/)
    expect((await ingot('machine', 'show', machine, '--all', ...where())).some((line) => /boot script +asked for by 10\.77\.0\.100/.test(line))).toBe(true)
    expect(JSON.parse((await ingot('machine', 'show', machine, '--json', ...where())).join(''))).toMatchObject({ machine, now: { what }, events: { length: wayTo('script').length + 9 } })
  })
  test('`ingot machine show --log` tells the end of the log of its job too, with what its kernel said', async () => {
    expect((await ingot('machine', 'show', machine, '--log', ...where())).at(-1)).toBe('it has no log of a job')
    await appendFile(join(server.directory, 'events.ndjson'), `${JSON.stringify({ time: since, machine, hop: 'claim', job: 'web-1' })}\n`)
    await mkdir(join(server.directory, 'logs'), { recursive: true })
    await writeFile(join(server.directory, 'logs/web-1.log'), `${Array.from({ length: 50 }, (_, index) => `line ${index}\n`).join('')}kernel: [    1.500000] sda: \u001b[31mI/O error\n`)
    const shown = await ingot('machine', 'show', machine, '--log', ...where())
    expect(shown.slice(shown.indexOf('log of job web-1:') + 1)).toEqual([...Array.from({ length: 39 }, (_, index) => `  line ${index + 11}`), '  kernel: [    1.500000] sda: I/O error'])
  })
  test('a machine that nothing was heard of is a mistake that says what may be wrong', async () => {
    await expect(ingot('machine', 'show', '02-00-00-00-00-99', ...where())).rejects.toThrow('nothing was heard of the machine 02-00-00-00-00-99: it sends no DHCP request that reaches this network')
  })
})

test('F8 `ingot machine console` tells the end of what a machine said, and with --follow what it goes on saying', async () => {
  const say = async (...lines: string[]): Promise<void> => {
    const { status } = await fetch(`${server.url}/machines/${machineId}/console`, {
      method: 'POST',
      headers: { authorization: `Bearer ${await server.tokens.create({ role: 'worker', name: machineId })}`, 'content-type': 'text/plain' },
      body: lines.map((line) => `${line}\n`).join(''),
    })
    expect(status).toBe(204)
  }
  expect(await ingot('machine', 'console', machineId)).toEqual([])
  const first = ingotUntil((printed) => printed.length === 1, 'machine', 'console', machineId, '--follow')
  // Time enough to be told that there is nothing yet.
  await sleep(500)
  await say('line -1')
  expect(await first).toEqual(['line -1'])
  await say(...Array.from({ length: 50 }, (_, index) => `line ${index}`))
  expect(await ingot('machine', 'console', machineId)).toEqual(Array.from({ length: 40 }, (_, index) => `line ${index + 10}`))
  expect(await ingot('machine', 'console', machineId, '--all')).toHaveLength(51)
  expect((await ingot('machine', 'console', machineId, '--json')).at(-1)).toBe(JSON.stringify({ machine: machineId, line: 'line 49' }))

  let isTold = false
  const followed = await ingotUntil(
    (printed) => {
      if (printed.length >= 40 && !isTold) void say('sda: I/O error', 'line 49')
      isTold ||= printed.length >= 40
      return printed.length === 42
    },
    ...['machine', 'console', machineId, '--follow'],
  )
  expect(followed.slice(39)).toEqual(['line 49', 'sda: I/O error', 'line 49'])
})
