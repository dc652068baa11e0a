import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Command } from 'commander'
import { pino } from 'pino'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { run, start } from '../../../appliance/run.ts'
import { addJob } from '../../../server/commands/job.ts'
import { addMachine } from '../../../server/commands/machine.ts'
import { inventory, machineId, newClaim, openJobServer, type JobServer } from '../http/job-server.ts'
import { completeJob } from '../jobs/complete-job.ts'

let server: JobServer
let url: string
beforeEach(async () => {
  server = await openJobServer({
    list: [
      { id: 'web-1', recipe: 'debian-12-nginx', requires: { firmware: 'uefi', memoryMiB: 4096, labels: { rack: 'b2' } }, madeBy: 'schedule:nightly' },
      { id: 'db-1', recipe: 'debian-12', maxAttempts: 2 },
    ],
  })
  url = await server.app.listen({ host: '127.0.0.1', port: 0 })
})
afterEach(() => server.close())

/** Runs the command as `main.ts` does, on the real server; gives what it printed and said, line by line. */
async function ingot(args: readonly string[], { columns = undefined as number | undefined, signal = new AbortController().signal } = {}) {
  const printed: string[] = []
  const said: string[] = []
  let exitCode = 0
  const context = {
    run,
    start,
    log: pino({ level: 'silent' }),
    print: (line: string) => void printed.push(...line.split('\n')),
    output: process.stdout,
    say: (line: string) => void said.push(line),
    signal,
    env: { INGOT_SERVER: url, INGOT_TOKEN: server.credentials.operator },
    columns,
    exit: (code: number) => void (exitCode = code),
  }
  const program = new Command('ingot').exitOverride().configureOutput({ writeOut: (text) => void printed.push(text), writeErr: (text) => void said.push(text) })
  for (const add of [addJob, addMachine]) add(program, context)
  await program.parseAsync(args, { from: 'user' })
  return { printed, said, exitCode }
}
const stateOf = async (id: string) => (await server.jobs.list()).find((each) => each.id === id)
const say = (id: string, claim: string, payload: string) => server.worker('POST', `/logs/${id}.log`, { payload, headers: { 'ingot-claim': claim, 'content-type': 'text/plain' } })

describe('ingot job add', () => {
  test('takes every choice of a job, and prints its id', async () => {
    const choices = ['--priority', '-5', '--time-limit', '600', '--silence-limit', '30', '--when-lost', 'remove', '--max-attempts', '5']
    const requires = ['--requires', 'firmware=bios', 'memoryMiB=512', 'labels.rack=b2', `machines=52:54:00:AA:BB:CC,${machineId}`]
    const { printed } = await ingot(['job', 'add', 'debian-12', '--id', 'new', ...choices, ...requires])
    expect(printed).toEqual(['new'])
    expect(await stateOf('new')).toMatchObject({
      recipe: 'debian-12',
      priority: -5,
      timeLimitSeconds: 600,
      silenceLimitSeconds: 30,
      whenLost: 'remove',
      maxAttempts: 5,
      requires: { firmware: 'bios', memoryMiB: 512, labels: { rack: 'b2' }, machines: ['52-54-00-aa-bb-cc', machineId] },
    })
  })

  test('asks for a build of all steps', async () => {
    await ingot(['job', 'add', 'debian-12', '--id', 'anew', '--no-cache'])
    await ingot(['job', 'add', 'debian-12', '--id', 'usual'])
    expect([(await stateOf('anew'))?.cache, (await stateOf('usual'))?.cache]).toEqual([false, undefined])
  })

  test('puts it where it is told, and for whom', async () => {
    await ingot(['job', 'add', 'debian-12', '--id', 'two', '--first', '--assign', '52:54:00:12:34:56'])
    await ingot(['job', 'add', 'debian-12', '--id', 'three', '--before', 'db-1'])
    expect((await server.jobs.list()).map(({ id, assignedTo }) => [id, assignedTo])).toEqual([['two', '52-54-00-12-34-56'], ['web-1', undefined], ['three', undefined], ['db-1', undefined]])
    expect(JSON.parse((await ingot(['job', 'add', 'debian-12', '--json'])).printed.join(''))).toMatchObject({ id: 'debian-12-3', recipe: 'debian-12' })
  })

  test.each([
    [['--requires', 'memory=4096'], { code: 'argument-invalid', problems: [expect.stringMatching(/^memory: expected a known key \(nearest: memoryMiB;/)] }],
    [['--requires', 'memoryMiB=much'], { code: 'argument-invalid', problems: ['memoryMiB: expected integer, got "much"'] }],
    [['--requires', 'uefi'], { code: 'argument-invalid', message: 'expected key=value, got "uefi"' }],
    [['--priority', 'high'], { code: 'commander.invalidArgument' }],
    [['--first', '--before', 'db-1'], { code: 'commander.conflictingOption' }],
    [['--before', 'nope'], { code: 'server-refused', message: expect.stringContaining("no job 'nope' is listed") }],
    [['--id', 'db-1'], { code: 'server-refused', message: expect.stringContaining("job 'db-1' is listed already") }],
  ] as const)('%j is one clear error', async (args, error) => {
    await expect(ingot(['job', 'add', 'debian-12', ...args])).rejects.toMatchObject(error)
  })
})

describe('ingot job list', () => {
  test('shows each job in order with its state, attempt, worker, and what there is to know', async () => {
    await server.machines.record(inventory())
    const claim = newClaim()
    await server.claim('db-1', claim)
    await server.report('db-1', claim, { state: 'running', progress: { stepIndex: 2, stepCount: 7, step: 'install-rootfs', doneBytes: 45e6, totalBytes: 100e6, detail: 'unpacking\u001b[2J\nbase' } })
    const { printed } = await ingot(['job', 'list'])
    expect(printed).toEqual([
      'JOB    STATE      ATTEMPT  WORKER             WORK',
      'web-1  available                              debian-12-nginx  no known machine can take it; nearest is 52-54-00-00-00-01: labels.rack: expected "b2", got none, firmware: expected uefi, got bios, memoryMiB: expected at least 4096, got 2048',
      'db-1   selected   1/2      52-54-00-00-00-01  debian-12        3/7 install-rootfs 45 % of 100 MB: unpacking base',
    ])
  })

  test('F8 a job whose image is proven tells by which firmware and what is waited for, in the list and by itself', async () => {
    const claim = newClaim()
    const imageDigest = `sha256:${'1'.repeat(64)}`
    await server.claim('db-1', claim)
    const { status } = await server.jobs.received('db-1', imageDigest, claim)
    await server.jobs.proving.progress(status, { stepIndex: 1, stepCount: 2, step: 'proof', detail: 'UEFI: waits for the login prompt' })
    const { printed } = await ingot(['job', 'list', '--state', 'proving'])
    expect(printed[1]).toBe('db-1  proving  1/2      52-54-00-00-00-01  debian-12  2/2 proof: UEFI: waits for the login prompt')
    const shown = (await ingot(['job', 'show', 'db-1'])).printed
    expect(shown[0]).toBe('db-1: proving')
    expect(shown).toEqual(expect.arrayContaining(['  progress     2/2 proof: UEFI: waits for the login prompt', `  image        db-1, ${imageDigest}`]))
    await server.jobs.proving.lose(status, { step: 'proof', message: 'a copy on UEFI said "UEFI Interactive Shell v2.2" where a login prompt was waited for on the serial console', lastLines: [] })
    expect((await ingot(['job', 'show', 'db-1'])).printed.join('\n')).toContain('unproven  proof: a copy on UEFI said "UEFI Interactive Shell v2.2"')
  })

  test('fits the terminal', async () => {
    await server.machines.record(inventory())
    const { printed } = await ingot(['job', 'list'], { columns: 60 })
    expect(printed.every((line) => line.length <= 60)).toBe(true)
    expect(printed[1]).toMatch(/^web-1 .*…$/)
  })

  test('shows some states only, and says when there is none', async () => {
    await ingot(['job', 'cancel', 'db-1'])
    expect((await ingot(['job', 'list', '--state', 'cancelled,failed'])).printed[1]).toMatch(/^db-1 +cancelled/)
    expect(await ingot(['job', 'list', '--state', 'failed'])).toMatchObject({ printed: [], said: ['no job is failed'] })
    expect(JSON.parse((await ingot(['job', 'list', '--json'])).printed.join(''))).toHaveLength(2)
    await expect(ingot(['job', 'list', '--state', 'done'])).rejects.toMatchObject({ code: 'server-refused', problems: [expect.stringMatching(/^state: expected one or more of/)] })
  })
})

describe('ingot job list of a list that a person broke', () => {
  test('tells with line and column what is wrong, and shows the last good one', async () => {
    await writeFile(join(server.directory, 'jobs.json'), '{ "version": 1,\n  "jobs": [{ "id": "a" }] }')
    await vi.waitFor(async () => {
      const { printed, said } = await ingot(['job', 'list'])
      expect(said).toEqual([expect.stringMatching(/^not all is well with the list:\n {2}\S+jobs\.json:2:12: jobs\[0\]: expected a job with either recipe or deploy, got neither of them$/)])
      expect(printed).toHaveLength(3)
    }, 10_000)
  })
})

describe('ingot job show', () => {
  test('tells what a job requires, who could take it and why not', async () => {
    await server.machines.record(inventory())
    await server.machines.record(inventory({ id: '52-54-00-00-00-02', firmware: 'uefi', memoryBytes: 8 * 2 ** 30 }))
    await ingot(['machine', 'label', '52:54:00:00:00:02', 'rack=b2'])
    const { printed } = await ingot(['job', 'show', 'web-1'])
    expect(printed).toEqual([
      'web-1: available',
      '  recipe       debian-12-nginx',
      '  priority     0',
      '  made         schedule:nightly',
      '  limits       4h from claim to image, 1m without a sign of life',
      '  when lost    may be taken again, up to 3 attempts',
      '  requires     firmware=uefi memoryMiB=4096 labels.rack=b2',
      'who may take it',
      '  52-54-00-00-00-01  labels.rack: expected "b2", got none; firmware: expected uefi, got bios; memoryMiB: expected at least 4096, got 2048',
      '  52-54-00-00-00-02  may',
    ])
  })

  test('F8 tells the attempts with their reasons, and a failure with what was said last', async () => {
    const first = newClaim()
    await server.claim('db-1', first)
    await server.worker('DELETE', '/status/db-1.json', { headers: { 'ingot-claim': first } })
    const second = newClaim()
    await server.claim('db-1', second)
    const failure = { step: 'install-packages', message: 'apt failed', command: 'apt-get install nginx', exitCode: 100, lastLines: ['Reading lists', 'E: no space\u001b[31m'] }
    await server.report('db-1', second, { state: 'failed', failure })
    const { printed } = await ingot(['job', 'show', 'db-1'])
    expect(printed[0]).toBe('db-1: failed')
    expect(printed).toContainEqual(expect.stringMatching(/^ {2}worker {7}52-54-00-00-00-01, attempt 2, since 20\d\d-/))
    expect(printed).toContainEqual(expect.stringMatching(/^ {2}1 +52-54-00-00-00-01 +20\d\d-\S+ +\S+ +given-back$/))
    expect(printed.slice(-5)).toEqual(['failed in install-packages: apt failed', '  command      apt-get install nginx', '  exit code    100', '  | Reading lists', '  | E: no space'])
    expect(JSON.parse((await ingot(['job', 'show', 'db-1', '--json'])).printed.join(''))).toMatchObject({ status: { failure }, attempts: [{ loss: 'given-back' }] })
  })

  test('tells of a job that has left the list, and refuses one that never was', async () => {
    await ingot(['job', 'remove', 'db-1'])
    expect((await ingot(['job', 'show', 'db-1'])).printed[0]).toBe('db-1: removed')
    await expect(ingot(['job', 'show', 'never'])).rejects.toMatchObject({ code: 'server-refused' })
  })
})

describe('ingot job move|edit|assign|cancel|retry|remove', () => {
  test('change the list and say what they did', async () => {
    expect((await ingot(['job', 'move', 'db-1', '--before', 'web-1'])).printed).toEqual(['db-1: moved, priority 0'])
    expect((await server.jobs.list()).map(({ id }) => id)).toEqual(['db-1', 'web-1'])
    expect((await ingot(['job', 'edit', 'web-1', '--priority', '9', '--unset', 'requires'])).printed).toEqual(['web-1: changed'])
    expect(await stateOf('web-1')).toMatchObject({ priority: 9 })
    expect(await stateOf('web-1')).not.toHaveProperty('requires')
    expect((await ingot(['job', 'assign', 'db-1', '52:54:00:12:34:56'])).printed).toEqual(['db-1: for 52-54-00-12-34-56 alone'])
    expect((await ingot(['job', 'cancel', 'db-1'])).printed).toEqual(['db-1: cancelled'])
    expect((await ingot(['job', 'retry', 'db-1'])).printed).toEqual(['db-1: available'])
    expect((await ingot(['job', 'remove', 'db-1'])).printed).toEqual(['db-1: removed'])
    expect(await stateOf('db-1')).toBeUndefined()
  })

  test.each([
    [['move', 'db-1'], { code: 'argument-invalid', message: expect.stringMatching(/--before JOB, --after JOB, --first or --last, got none/) }],
    [['edit', 'db-1'], { code: 'argument-invalid', message: expect.stringMatching(/got nothing/) }],
    [['edit', 'db-1', '--unset', 'colour'], { code: 'commander.invalidArgument' }],
    [['cancel', 'never'], { code: 'server-refused' }],
    [['assign', 'db-1', 'a machine'], { code: 'server-refused', problems: [expect.stringMatching(/^machine: expected the id of a machine/)] }],
  ] as const)('%j is one clear error', async (args, error) => {
    await expect(ingot(['job', ...args])).rejects.toMatchObject(error)
  })

  test('every command helps with an example', async () => {
    for (const command of ['add', 'list', 'show', 'move', 'edit', 'remove', 'retry', 'cancel', 'assign', 'log']) {
      const printed: string[] = []
      const program = addJob(new Command('ingot'), { print: () => {}, env: {} } as never)
      const found = program.commands.find((each) => each.name() === command)!
      found.configureOutput({ writeOut: (text) => void printed.push(text) }).outputHelp()
      expect(printed.join('')).toContain(`  ingot job ${command} `)
    }
  })
})

describe('ingot job log', () => {
  test('prints what the workers said', async () => {
    expect(await ingot(['job', 'log', 'db-1'])).toMatchObject({ printed: [], said: ['db-1 has no log yet'] })
    const claim = newClaim()
    await server.claim('db-1', claim)
    await say('db-1', claim, 'one\n\u001b[2Jtwo\n')
    expect((await ingot(['job', 'log', 'db-1'])).printed).toEqual(['one', '\u001b[2Jtwo'])
    expect((await ingot(['job', 'log', 'db-1'], { columns: 80 })).printed).toEqual(['one', 'two'])
  })

  test('--follow goes on from the job waiting to its end, prints each line once, and exits by how it ended', async () => {
    const following = ingot(['job', 'log', 'db-1', '--follow'])
    const claim = newClaim()
    await server.claim('db-1', claim)
    await say('db-1', claim, 'één\nbeg')
    await vi.waitFor(async () => expect((await server.jobs.show('db-1')).status).toBeDefined())
    await say('db-1', claim, 'un\nlast')
    await completeJob(server.jobs, 'db-1', `sha256:${'1'.repeat(64)}`, claim)
    const { printed, said, exitCode } = await following
    expect(printed).toEqual(['één', 'begun', 'last'])
    expect(said.at(-1)).toBe('db-1: performed')
    expect(exitCode).toBe(0)
  })

  test('--follow of a job that failed exits with 1, and with 130 when stopped', async () => {
    await ingot(['job', 'cancel', 'db-1'])
    expect(await ingot(['job', 'log', 'db-1', '-f'])).toMatchObject({ said: ['db-1: cancelled'], exitCode: 1 })
    const stop = new AbortController()
    const following = ingot(['job', 'log', 'web-1', '-f'], { signal: stop.signal })
    stop.abort('SIGINT')
    expect((await following).exitCode).toBe(130)
  })
})

describe('ingot machine label', () => {
  test('adds, replaces and takes away labels, and shows them', async () => {
    expect((await ingot(['machine', 'label', '52:54:00:00:00:01', 'rack=b2', 'row=1'])).printed).toEqual(['52-54-00-00-00-01: rack=b2 row=1'])
    expect((await ingot(['machine', 'label', machineId, 'row=', 'rack=b3'])).printed).toEqual(['52-54-00-00-00-01: rack=b3'])
    expect((await ingot(['machine', 'label', machineId])).printed).toEqual(['52-54-00-00-00-01: rack=b3'])
    expect((await ingot(['machine', 'label', machineId, 'rack='])).printed).toEqual(['52-54-00-00-00-01: no labels'])
    expect((await server.machines.read(machineId)).labels).toEqual({})
    await expect(ingot(['machine', 'label', machineId, 'rack'])).rejects.toMatchObject({ code: 'argument-invalid', message: 'expected key=value, got "rack"' })
  })
})
