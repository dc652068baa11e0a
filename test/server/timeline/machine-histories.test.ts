import { appendFile, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import type { MachineEvent } from '../../../server/api/event.ts'
import { openMachineHistories } from '../../../server/timeline/machine-histories.ts'
import { eventsOf, given, machine, wayTo } from './machine-events.ts'

let directory: string
let path: string
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'ingot-histories-'))
  path = join(directory, 'events.ndjson')
})
afterEach(() => rm(directory, { recursive: true }))

const lines = (events: readonly MachineEvent[]) => events.map((event) => `${JSON.stringify(event)}\n`).join('')

it('the events of each machine are read, those of a file that grows as they come', async () => {
  const events = eventsOf(wayTo('worker'))
  const histories = openMachineHistories(directory)
  await histories.refresh()
  expect(histories.machines()).toEqual([])
  await writeFile(path, lines(events.slice(0, 5)))
  await histories.refresh()
  expect(histories.of(machine)).toEqual(events.slice(0, 5))
  await appendFile(path, lines(events.slice(5)) + lines([{ ...events[0]!, machine: 'other' }]))
  await histories.refresh()
  expect(histories.of(machine)).toEqual(events)
  expect(histories.machines()).toEqual([machine, 'other'])
})
it('half a line is read when it is whole, and what is no event is passed over', async () => {
  const [first, second] = eventsOf(wayTo('firmware')) as [MachineEvent, MachineEvent]
  const half = JSON.stringify(second).slice(0, 20)
  await writeFile(path, `not JSON\nnull\n3\n${lines([first])}${half}`)
  const histories = openMachineHistories(directory)
  await histories.refresh()
  expect(histories.of(machine)).toEqual([first])
  await appendFile(path, `${JSON.stringify(second).slice(20)}\n`)
  await histories.refresh()
  expect(histories.of(machine)).toEqual([first, second])
})
it('a file that was put in the place of another is read from its beginning', async () => {
  const events = eventsOf(wayTo('tftp'))
  await writeFile(path, lines(events))
  const histories = openMachineHistories(directory)
  await histories.refresh()
  await writeFile(path, lines(events.slice(0, 1)))
  await histories.refresh()
  expect(histories.of(machine)).toEqual(events.slice(0, 1))
})
it('of a step told again and again, and of a lease renewed, the first and the latest word are kept', async () => {
  const step = (stepIndex: number, doneBytes: number) => ({ hop: 'step' as const, job: 'j', progress: { stepIndex, stepCount: 3, step: 's', doneBytes } })
  await writeFile(path, lines(eventsOf([step(0, 1), step(0, 2), step(0, 3), step(1, 1), given(''), given(''), given('')])))
  const histories = openMachineHistories(directory)
  await histories.refresh()
  expect(histories.of(machine).map((event) => (event.hop === 'step' ? `${event.progress.stepIndex} ${event.progress.doneBytes}` : event.hop))).toEqual(['0 1', '0 3', '1 1', 'dhcp-ack', 'dhcp-ack'])
})
it('a machine that boots for ever does not fill the memory', async () => {
  await writeFile(path, lines(eventsOf(Array.from({ length: 100 }, () => wayTo('script')).flat())))
  const histories = openMachineHistories(directory)
  await histories.refresh()
  expect(histories.of(machine).length).toBeLessThanOrEqual(400)
  expect(histories.of(machine).at(-1)?.hop).toBe('boot-script')
})
