import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import type { MachineEvent } from '../../../server/api/event.ts'
import { advanceJourney, type Journey } from '../../../server/overview/advance-journey.ts'
import { createMachineWatch } from '../../../server/overview/machine-watch.ts'
import { renderMachineCard } from '../../../server/overview/render-machine-card.ts'
import { addEvent } from '../../../server/timeline/add-event.ts'

type Told = MachineEvent extends infer Each ? (Each extends MachineEvent ? Omit<Each, 'time' | 'machine'> & { at?: number } : never) : never

const startMs = Date.parse('2026-11-23T21:20:00Z')
const at = (seconds: number): number => startMs + seconds * 1000
const record = { id: 'm1', scratchSerials: [], labels: {} }

const eventsOf = (told: readonly Told[]): MachineEvent[] =>
  told.map(({ at: seconds, ...event }, index) => ({ time: new Date(at(seconds ?? index)).toISOString(), machine: 'm1', ...event }) as MachineEvent)
/** Where a machine is after these events, a second apart unless told. */
const journeyOf = (...told: Told[]): Journey => eventsOf(told).reduce<Journey | undefined>(advanceJourney, undefined)!

/** A watch that hears events as they are written, as a server does. */
function watchFresh() {
  const kept: MachineEvent[] = []
  const watch = createMachineWatch({ refresh: async () => {}, machines: () => ['m1'], of: () => kept })
  const hear = (event: MachineEvent): void => {
    addEvent(kept, event)
    watch.advance(event)
  }
  return { hear, cardAt: (ms: number) => renderMachineCard(record, watch.of('m1', ms)) }
}
function cardAt(seconds: number, ...told: Told[]) {
  const { hear, cardAt: card } = watchFresh()
  eventsOf(told).forEach(hear)
  return card(at(seconds))
}

const asks = { hop: 'dhcp-discover', architecture: 'x86-64', vendorClass: '', address: '' } as const
const step = (stepIndex: number, doneBytes: number, seconds: number): Told => ({ hop: 'step', job: 'j', progress: { stepIndex, stepCount: 3, step: 'install', doneBytes, totalBytes: 1000 }, at: seconds })

describe('F8 where a machine is', () => {
  test('a recorded way leads from booting to working, though its claim is told before what the machine is, and to a worker that waits', () => {
    const events = readFileSync(join(import.meta.dirname, '../demo/fixtures/machine-events.ndjson'), 'utf8').trimEnd().split('\n').map((line) => ({ ...(JSON.parse(line) as MachineEvent), machine: 'm1' }))
    const states: string[] = []
    const { hear, cardAt: card } = watchFresh()
    for (const event of events) {
      hear(event)
      const { state } = card(Date.parse(event.time))
      if (states.at(-1) !== state) states.push(state)
    }
    expect(states).toEqual(['booting', 'working', 'waiting'])
  })

  test('a component or a renewed lease in the middle of a step says nothing new', () => {
    const journey = journeyOf(asks, { hop: 'claim', job: 'j' }, step(1, 100, 10), { hop: 'component', job: 'j', name: 'rootfs', bytes: 5, ms: 5 }, { hop: 'dhcp-ack', address: '10.77.0.7', file: '' })
    expect(journey).toMatchObject({ hop: 'step', job: 'j', progress: { stepIndex: 1 } })
  })

  test('a machine that is switched on again begins anew', () => {
    const failed: Told = { hop: 'failed', job: 'j', failure: { step: 's', message: 'm', lastLines: [] } }
    const journey = journeyOf(asks, failed, { ...asks, at: 60 })
    expect(journey).toEqual({ hop: 'dhcp-discover', sinceMs: at(60), heardMs: at(60), bootedMs: at(60) })
  })

  test('iPXE asking for an address again is the same boot', () => {
    expect(journeyOf(asks, { hop: 'tftp', file: 'snponly.efi', bytes: 1, ms: 1 }, { ...asks, at: 9 }).bootedMs).toBe(startMs)
  })
})

describe('progress', () => {
  test('has a rate over the reports of its step, in which one slow report does not count for all', () => {
    expect(journeyOf(step(0, 0, 0)).bytesPerSecond).toBeUndefined()
    expect(journeyOf(step(0, 0, 0), step(0, 200, 2)).bytesPerSecond).toBe(100)
    expect(journeyOf(step(0, 0, 0), step(0, 200, 2), step(0, 200, 4)).bytesPerSecond).toBe(60)
  })

  test('has none of the step before', () => {
    expect(journeyOf(step(0, 0, 0), step(0, 200, 2), step(1, 0, 3)).bytesPerSecond).toBeUndefined()
  })
})

describe('F8 why a machine stopped', () => {
  test('a failure of its job is told at once, with what failed', () => {
    const failure = { step: 'install', message: 'apt-get ended with 100', lastLines: ['E: no'] }
    expect(cardAt(9, asks, { hop: 'claim', job: 'j' }, { hop: 'failed', job: 'j', failure })).toMatchObject({ state: 'stopped', what: expect.stringContaining('apt-get ended with 100'), stopped: { failure, cause: expect.any(String) } })
  })

  test('silence on its way counts when it is long, and not before', () => {
    const { hear, cardAt: card } = watchFresh()
    eventsOf([asks, { hop: 'boot-script', address: '10.77.0.7' }, { hop: 'kernel', bytes: 1, ms: 1 }]).forEach(hear)
    expect(card(at(4))).toMatchObject({ state: 'booting' })
    expect(card(at(3600))).toMatchObject({ state: 'stopped', stopped: { cause: expect.any(String) } })
  })

  test('one that was sent to its own disk may be silent', () => {
    expect(cardAt(9000, asks, { hop: 'boot-script', address: '10.77.0.7' }, { hop: 'local-disk', address: '10.77.0.7', why: 'no job' })).toMatchObject({ state: 'settled', address: '10.77.0.7' })
  })

  test('one that waits to be admitted is no failure, and one that was refused none either', () => {
    const heard = { journey: journeyOf(asks), standing: { state: 'stopped', hop: 'dhcp-discover', since: '2026-11-23T21:20:00Z', what: 'w' } } as const
    expect(renderMachineCard({ ...record, admission: { state: 'waiting', at: '2026-11-23T21:20:00Z' } }, heard)).toMatchObject({ state: 'asking' })
    expect(renderMachineCard({ ...record, admission: { state: 'refused', at: '2026-11-23T21:20:00Z' } }, heard)).toMatchObject({ state: 'refused' })
  })
})
