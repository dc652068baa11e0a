import { describe, expect, test } from 'vitest'
import type { MachineEvent } from '../../../server/api/event.ts'
import { eventsOfJob } from '../../../server/web/timeline/events-of-job.ts'
import { shareOf, spansOf, type Span } from '../../../server/web/timeline/spans-of.ts'

type Told = MachineEvent extends infer Each ? (Each extends MachineEvent ? Omit<Each, 'time' | 'machine'> : never) : never

const startMs = Date.parse('2026-11-23T21:20:00Z')
const at = (seconds: number, event: Told): MachineEvent => ({ time: new Date(startMs + seconds * 1000).toISOString(), machine: 'm1', ...event }) as MachineEvent
const asks: Told = { hop: 'dhcp-discover', architecture: 'x86-64', vendorClass: '', address: '' }
const step = (stepIndex: number, name: string, doneBytes = 0): Told => ({ hop: 'step', job: 'j', progress: { stepIndex, stepCount: 2, step: name, doneBytes } })

const way: MachineEvent[] = [
  at(0, asks),
  at(1, { hop: 'dhcp-ack', address: '10.77.0.7', file: 'undionly.kpxe' }),
  at(2, { hop: 'tftp', file: 'undionly.kpxe', bytes: 70_000, ms: 500 }),
  at(4, asks),
  at(5, { hop: 'boot-script', address: '10.77.0.7' }),
  at(6, { hop: 'kernel', bytes: 8_000_000, ms: 1000 }),
  at(8, { hop: 'stage2', bytes: 30_000_000, ms: 1000 }),
  at(10, { hop: 'claim', job: 'j' }),
  at(11, step(0, 'partition')),
  at(14, step(0, 'partition')),
  at(15, step(1, 'image')),
  at(19, step(1, 'image', 5_000_000)),
  at(20, { hop: 'image', job: 'j', image: 'web', version: 'j', digest: 'sha256:0', blobBytes: 4_000_000, diskBytes: 9 }),
  at(21, { hop: 'proof', job: 'j', boot: { firmware: 'uefi', secureBoot: false }, event: { kind: 'power-on' } }),
  at(31, { hop: 'proof', job: 'j', boot: { firmware: 'uefi', secureBoot: false }, event: { kind: 'proven', loginMs: 9000, checkedMs: 10_000 } }),
  at(32, { hop: 'performed', job: 'j' }),
]
const told = (spans: readonly Span[]) => spans.map(({ what, startMs: begin, endMs }) => [what, (begin - startMs) / 1000, endMs === undefined ? undefined : (endMs - startMs) / 1000])

describe('the picture of a job', () => {
  test('has each hop and step with when it began and ended', () => {
    expect(told(spansOf(way).spans)).toEqual([
      ['DHCP', 0, 1],
      ['undionly.kpxe', 1.5, 2],
      ['kernel', 5, 6],
      ['stage 2', 7, 8],
      ['starts the worker', 8, 10],
      ['1/2 partition', 11, 15],
      ['2/2 image', 15, 20],
      ['proof on UEFI', 21, 31],
    ])
    expect(spansOf(way).moments.map(({ what, tone }) => `${what} ${tone}`)).toEqual(['claimed plain', 'image received good', 'performed good'])
  })

  test('leaves open what goes on', () => {
    expect(told(spansOf(way.slice(0, 12)).spans).at(-1)).toEqual(['2/2 image', 15, undefined])
  })

  test('counts what overlaps once', () => {
    const span = (begin: number, end: number): Span => ({ what: '', detail: '', kind: 'step', startMs: begin, endMs: end })
    expect(shareOf([span(0, 10), span(5, 12), span(20, 25)], 99)).toEqual({ boot: 0, prepare: 0, step: 17, proof: 0 })
  })
})

describe('the events of a job', () => {
  test('begin with the boot that led to it', () => {
    expect(eventsOfJob(way, 'j')).toEqual(way)
  })

  test('hold nothing of the job before, nor of one that came after', () => {
    const before = [at(-30, { hop: 'claim', job: 'other' }), at(-20, { hop: 'failed', job: 'other', failure: { step: 's', message: 'm', lastLines: [] } })]
    const after = [at(40, { hop: 'claim', job: 'next' }), at(41, { hop: 'step', job: 'next', progress: { stepIndex: 0, stepCount: 1, step: 's' } })]
    expect(eventsOfJob([...before, ...way, ...after], 'j')).toEqual(way)
  })

  test('of a second attempt on the same machine are those of that attempt', () => {
    const again = [at(100, { hop: 'worker', inventory: {} as never }), at(101, { hop: 'claim', job: 'j' }), at(102, step(0, 'partition'))]
    expect(eventsOfJob([...way, ...again], 'j')).toEqual(again)
  })
})
