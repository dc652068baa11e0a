import prettyBytes from 'pretty-bytes'
import type { Hop, MachineEvent } from '../api/event.ts'
import type { Progress } from '../api/status.ts'
import type { DemoEvent } from './event.ts'
import { hopRow } from './hop-row.ts'
import { renderSeconds } from '../timeline/render-time.ts'

/** One line of the timeline, once and for all. `heading` starts a phase. */
export type Row =
  | { kind: 'heading'; title: string }
  | { kind: 'row'; atMs: number; who: string; what: string; detail: string; tone?: 'good' | 'bad' }

/** Something that goes on now. */
export interface Live {
  /** Where its clock started, and when this began; milliseconds since 1970. */
  zeroMs: number
  sinceMs: number
  who: string
  what: string
  detail: string
  doneBytes?: number
  totalBytes?: number
}

/** What one machine has done so far. */
export interface Journey {
  name: string
  hardware: string
  onMs: number
  /** When each hop was first reached, milliseconds since power-on, in the order of arrival. */
  hops: { hop: Hop; atMs: number }[]
  /** Steps that have ended, with how long each took. */
  steps: { step: string; ms: number }[]
  /** Bytes that the first computer sent: until the job was claimed, and after. */
  bootBytes: number
  componentBytes: number
  running?: { progress: Progress; sinceMs: number }
  /** Its last hop, questions by DHCP left out. */
  last?: MachineEvent
  image?: Extract<MachineEvent, { hop: 'image' }>
}

export interface Timeline {
  zeroMs: number
  journeys: ReadonlyMap<string, Journey>
  live: ReadonlyMap<string, Live>
  proofs: readonly Extract<DemoEvent, { kind: 'proven' }>[]
}

export const emptyTimeline = (startedMs: number): Timeline => ({ zeroMs: startedMs, journeys: new Map(), live: new Map(), proofs: [] })

/** What the timeline becomes by one event, and the lines that are now to be read. */
export function advanceTimeline(timeline: Timeline, event: DemoEvent): { timeline: Timeline; rows: Row[] } {
  const nowMs = Date.parse(event.time)
  // A machine's clock starts when it is powered on, the host's with each phase.
  const row = (who: string, what: string, detail: string, tone?: 'good' | 'bad'): Row => {
    const onMs = [...timeline.journeys.values()].find(({ name }) => name === who)?.onMs
    return { kind: 'row', atMs: event.kind === 'power-on' ? 0 : nowMs - (onMs ?? timeline.zeroMs), who, what, detail, ...(tone === undefined ? {} : { tone }) }
  }
  switch (event.kind) {
    case 'phase':
      return { timeline: { ...timeline, zeroMs: nowMs, live: new Map() }, rows: [{ kind: 'heading', title: event.title }] }
    case 'task': {
      if (event.state === 'done') return { timeline: withLive(timeline, 'task', undefined), rows: [row('host', event.task, event.detail)] }
      const sinceMs = event.state === 'begun' ? nowMs : (timeline.live.get('task')?.sinceMs ?? nowMs)
      return { timeline: withLive(timeline, 'task', { zeroMs: timeline.zeroMs, sinceMs, who: 'host', what: event.task, detail: event.detail }), rows: [] }
    }
    case 'power-on': {
      const journey: Journey = { name: event.name, hardware: event.hardware, onMs: nowMs, hops: [], steps: [], bootBytes: 0, componentBytes: 0 }
      return { timeline: withJourney(timeline, event.machine, journey), rows: [row(event.name, 'power on', event.hardware)] }
    }
    case 'machine':
      return advanceJourney(timeline, event.event, row)
    case 'proof': {
      const name = timeline.journeys.get(event.machine)?.name ?? event.machine
      const told = event.event
      switch (told.kind) {
        case 'waiting': {
          const zeroMs = timeline.journeys.get(event.machine)?.onMs ?? timeline.zeroMs
          return { timeline: withLive(timeline, event.machine, { zeroMs, sinceMs: nowMs, who: name, what: 'waits for', detail: told.for }), rows: [] }
        }
        case 'login':
          return { timeline, rows: [row(name, 'login prompt', 'from its own disk')] }
        case 'checked':
          return { timeline, rows: [row(name, 'check', `${told.check}, ${renderSeconds(told.ms)}`)] }
      }
    }
    case 'proven': {
      const proven = { ...timeline, proofs: [...timeline.proofs, event] }
      return { timeline: withLive(proven, event.machine, undefined), rows: [row(event.name, 'proven', event.image, 'good')] }
    }
    case 'failed':
      return { timeline: { ...timeline, live: new Map() }, rows: [row('', 'failed', event.message, 'bad')] }
    case 'finished':
      return { timeline: { ...timeline, live: new Map() }, rows: [] }
  }
}

type MakeRow = (who: string, what: string, detail: string, tone?: 'good' | 'bad') => Row

function advanceJourney(timeline: Timeline, event: MachineEvent, row: MakeRow): { timeline: Timeline; rows: Row[] } {
  const before = timeline.journeys.get(event.machine)
  // A copy that proves the image asks for an address too; its own timeline tells of it.
  if (before === undefined) return { timeline, rows: [] }
  const nowMs = Date.parse(event.time)
  const rows: Row[] = []
  let { running } = before
  const journey: Journey = { ...before }
  if (!before.hops.some(({ hop }) => hop === event.hop)) journey.hops = [...before.hops, { hop: event.hop, atMs: nowMs - before.onMs }]
  if ('bytes' in event) journey[event.hop === 'component' ? 'componentBytes' : 'bootBytes'] += event.bytes
  if (event.hop === 'image') journey.image = event

  const stepEnds = event.hop === 'step' ? event.progress.stepIndex !== running?.progress.stepIndex : ['image', 'failed'].includes(event.hop)
  if (running !== undefined && stepEnds) {
    const ms = nowMs - running.sinceMs
    if (event.hop !== 'failed') {
      journey.steps = [...before.steps, { step: running.progress.step, ms }]
      rows.push(row(before.name, stepName(running.progress), stepResult(running.progress, ms)))
    }
    running = undefined
  }
  if (event.hop === 'step') running = { progress: event.progress, sinceMs: running?.sinceMs ?? nowMs }
  if (running === undefined) delete journey.running
  else journey.running = running

  const hop = repeats(before.last, event) ? undefined : hopRow(event)
  if (event.hop !== 'dhcp-discover' && event.hop !== 'dhcp-offer') journey.last = event
  if (hop !== undefined) rows.push(row(before.name, hop.what, hop.detail, hop.tone))
  return { timeline: withLive(withJourney(timeline, event.machine, journey), event.machine, liveOf(journey)), rows }
}

/** A lease renewed says nothing new. */
const repeats = (last: MachineEvent | undefined, event: MachineEvent): boolean =>
  last?.hop === 'dhcp-ack' && event.hop === 'dhcp-ack' && last.address === event.address && last.file === event.file

const stepName = ({ stepIndex, stepCount, step }: Progress): string => `${stepIndex + 1}/${stepCount} ${step}`

function stepResult({ doneBytes }: Progress, ms: number): string {
  if (doneBytes === undefined || doneBytes === 0) return renderSeconds(ms)
  return `${prettyBytes(doneBytes)} in ${renderSeconds(ms)}, ${prettyBytes((doneBytes * 1000) / Math.max(ms, 1))}/s`
}

function liveOf({ running, name, onMs }: Journey): Live | undefined {
  if (running === undefined) return undefined
  const { doneBytes, totalBytes, detail } = running.progress
  return {
    ...{ zeroMs: onMs, sinceMs: running.sinceMs, who: name, what: stepName(running.progress), detail: detail ?? '' },
    ...(doneBytes === undefined ? {} : { doneBytes }),
    ...(totalBytes === undefined ? {} : { totalBytes }),
  }
}

const withJourney = (timeline: Timeline, machine: string, journey: Journey): Timeline => ({
  ...timeline,
  journeys: new Map(timeline.journeys).set(machine, journey),
})

function withLive(timeline: Timeline, key: string, live: Live | undefined): Timeline {
  const next = new Map(timeline.live)
  if (live === undefined) next.delete(key)
  else next.set(key, live)
  return { ...timeline, live: next }
}
