import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { afterEach, beforeEach, expect, it } from 'vitest'
import type { MachineEvent } from '../../../server/api/event.ts'
import { openEventLog, type NewMachineEvent } from '../../../server/event-log.ts'
import { compactEvents } from '../../../server/timeline/compact-events.ts'
import { openMachineHistories } from '../../../server/timeline/machine-histories.ts'
import { selectEvents } from '../../../server/timeline/select-events.ts'
import { eventsOf, wayTo } from './machine-events.ts'

let directory: string
let path: string
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'ingot-compact-'))
  path = join(directory, 'events.ndjson')
})
afterEach(() => rm(directory, { recursive: true }))

const alone = <Result>(act: () => Promise<Result>): Promise<Result> => act()
const boot = eventsOf(wayTo('script'))
const bootsOf = (machine: string, count: number): MachineEvent[] =>
  Array.from({ length: count }, (_, index) => boot.map((event) => ({ ...event, machine, time: new Date(Date.parse(event.time) + index * 60_000).toISOString() }))).flat()
const lines = (events: readonly MachineEvent[]): string => events.map((event) => `${JSON.stringify(event)}\n`).join('')
const historiesNow = async () => {
  const histories = openMachineHistories(directory)
  await histories.refresh()
  return histories
}

it('the configured number of boots of each machine is kept, and what is no event goes', async () => {
  const [one, other] = [bootsOf('m1', 7), bootsOf('m2', 2)]
  await writeFile(path, `${lines(one)}half a li\n${lines(other)}`)
  await compactEvents(path, { alone, bootsPerMachine: 3, totalBytes: 1_000_000 })
  const histories = await historiesNow()
  expect(histories.of('m1')).toEqual(one.slice(-3 * boot.length))
  expect(histories.of('m2')).toEqual(other)
  const times = (await readFile(path, 'utf8')).trimEnd().split('\n').slice(1).map((line) => (JSON.parse(line) as MachineEvent).time)
  expect(times).toEqual(times.toSorted())
})
it('where all machines together have too much, each keeps fewer boots, and with one of each those heard of last stay', async () => {
  const machines = new Map(['m1', 'm2', 'm3', 'm4'].map((machine) => [machine, bootsOf(machine, 4)]))
  const bootBytes = Buffer.byteLength(lines(bootsOf('m1', 1)))
  const keptOf = async (totalBytes: number) => Object.entries(Object.groupBy(await selectEvents(machines, { bootsPerMachine: 4, totalBytes }), (line) => (JSON.parse(line) as MachineEvent).machine)).map(([machine, kept]) => `${machine} ${kept!.length / boot.length}`)
  expect(await keptOf(16 * bootBytes)).toEqual(['m1 4', 'm2 4', 'm3 4', 'm4 4'])
  expect(await keptOf(9 * bootBytes)).toEqual(['m1 2', 'm2 2', 'm3 2', 'm4 2'])
  expect(await keptOf(2 * bootBytes)).toEqual(['m3 1', 'm4 1'])
})
it('what comes while the file is read is in the new one', async () => {
  await writeFile(path, lines(bootsOf('m1', 3)))
  const late = bootsOf('m9', 1)
  const size = await compactEvents(path, {
    bootsPerMachine: 1,
    totalBytes: 1_000_000,
    async alone(act) {
      await writeFile(path, lines(late), { flag: 'a' })
      return act()
    },
  })
  expect((await stat(path)).size).toBe(size)
  expect((await historiesNow()).of('m9')).toEqual(late)
})
it('a file that somebody else has put in its place meanwhile stays', async () => {
  await writeFile(path, lines(bootsOf('m1', 3)))
  const compacted = await compactEvents(path, {
    bootsPerMachine: 1,
    totalBytes: 1_000_000,
    async alone(act) {
      await writeFile(`${path}.other`, lines(bootsOf('m2', 1)))
      await rename(`${path}.other`, path)
      return act()
    },
  })
  expect(compacted).toBeUndefined()
  expect((await historiesNow()).machines()).toEqual(['m2'])
  expect((await readdir(directory)).filter((name) => name.endsWith('.tmp'))).toEqual([])
})
it('a reader that follows a file sees what was put in its place, also when that has the same inode', async () => {
  await writeFile(path, lines(bootsOf('m1', 3)))
  const histories = openMachineHistories(directory)
  await histories.refresh()
  await writeFile(path, `${JSON.stringify({ compacted: 'x' })}\n${lines(bootsOf('m2', 9))}`)
  await histories.refresh()
  expect(histories.machines()).toEqual(['m2'])
})
it('a log that is written for ever stays within its bound, with the latest of each machine', async () => {
  const events = openEventLog(directory, { bootsPerMachine: 2, totalBytes: 20_000, compactBytes: 40_000 })
  let largest = 0
  for (let round = 0; round < 60; round++) {
    for (let machine = 0; machine < 5; machine++) for (const { time: _, ...event } of boot) events.emit({ ...event, machine: `m${machine}`, ...(event.hop === 'boot-script' ? { address: `${round}` } : {}) } as NewMachineEvent)
    await events.written()
    largest = Math.max(largest, (await stat(path)).size)
  }
  await events.close()
  expect(largest).toBeLessThan(200_000)
  const histories = await historiesNow()
  expect(histories.machines()).toEqual(['m0', 'm1', 'm2', 'm3', 'm4'])
  expect(histories.machines().map((machine) => histories.of(machine).at(-1))).toEqual(Array.from({ length: 5 }, () => expect.objectContaining({ hop: 'boot-script', address: '59' })))
})
it('two servers that write to one directory, killed in the middle of writing it anew, lose no event that was written', { timeout: 120_000 }, async () => {
  const last = new Map<string, number>()
  for (let round = 0; round < 2; round++) {
    const names = ['a', 'b'].map((name) => `${name}${round}`)
    const children = names.map((name) => spawn(process.execPath, [join(import.meta.dirname, 'fixtures/emit-events.ts'), directory, name], { stdio: ['ignore', 'pipe', 'inherit'] }))
    children.forEach((child, index) => createInterface(child.stdout).on('line', (line) => last.set(names[index]!, Number(line))))
    while (names.some((name) => (last.get(name) ?? 0) < 200)) await nextTurn()
    while (!(await readdir(directory)).some((name) => name.endsWith('.tmp'))) await nextTurn()
    const ended = children.map((child) => once(child, 'close'))
    for (const child of children) child.kill('SIGKILL')
    await Promise.all(ended)

    const histories = await historiesNow()
    for (const [name, number] of last) {
      expect(histories.of(`${name}-${number % 50}`).some((event) => event.hop === 'boot-script' && Number(event.address) >= number), `${name} ${number}`).toBe(true)
    }
    expect(histories.machines()).toHaveLength(last.size * 50)
    expect((await stat(path)).size).toBeLessThan(1_000_000)
  }
})
