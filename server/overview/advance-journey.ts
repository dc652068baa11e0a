import type { Hop, MachineEvent } from '../api/event.ts'
import type { Failure, Progress } from '../api/status.ts'

/** Where a machine is by what was heard of it, times in milliseconds since 1970. */
export interface Journey {
  hop: Hop
  sinceMs: number
  /** The last sign of it, whether that says something new or not. */
  heardMs: number
  /** When it asked for an address as firmware does. */
  bootedMs: number
  address?: string
  job?: string
  progress?: Progress
  bytesPerSecond?: number
  failure?: Failure
}

/** About a copy of an image that it made, and about whoever showed its ticket once more or asked in its name: the machine itself is where it was. */
const tellsOfOthers: readonly Hop[] = ['proof', 'ticket-refused', 'script-refused']

/** How much the newest of several measured rates counts: reports come every few seconds, and a rate that jumps is hard to read. */
const newestShare = 0.4

/** What is known of a machine after one more event; told of a machine for the first time, `journey` is undefined. */
export function advanceJourney(journey: Journey | undefined, event: MachineEvent): Journey {
  const atMs = Date.parse(event.time)
  if (tellsOfOthers.includes(event.hop) && journey !== undefined) return journey
  if (journey !== undefined && repeats(journey, event)) return { ...journey, heardMs: atMs, ...progressOf(journey, event, atMs) }
  const begins = journey === undefined || beginsAnew(journey, event)
  const kept: Partial<Journey> = begins ? {} : addressOf(journey)
  const base = { ...kept, hop: event.hop, sinceMs: atMs, heardMs: atMs, bootedMs: begins ? atMs : journey.bootedMs }
  return { ...base, ...detailOf(event), ...progressOf(undefined, event, atMs) }
}

const addressOf = ({ address }: Journey): Partial<Journey> => (address === undefined ? {} : { address })

/** Firmware asks first; iPXE, stage 1 and an installed system ask again on the same way, which is no new boot. */
const asking: readonly Hop[] = ['dhcp-discover', 'dhcp-offer', 'dhcp-ack']
const afterBoot: readonly Hop[] = ['worker', 'claim', 'plan', 'component', 'step', 'image', 'performed', 'failed', 'lost', 'local-disk', 'proof']
const beginsAnew = ({ hop }: Journey, event: MachineEvent): boolean => event.hop === 'dhcp-discover' && afterBoot.includes(hop)

/** What says nothing new of where the machine is: for example a renewed lease, a component that comes during a step, the next report of the same step. */
function repeats(journey: Journey, event: MachineEvent): boolean {
  if (event.hop === 'step') return journey.hop === 'step' && journey.progress?.stepIndex === event.progress.stepIndex && journey.job === event.job
  if (event.hop === 'component') return journey.job === event.job && (journey.hop === 'step' || journey.hop === 'component')
  // The claim may be told before what the machine is.
  if (event.hop === 'worker') return journey.hop === 'claim' || journey.hop === 'plan'
  if (event.hop === 'plan') return journey.job === event.job && journey.hop !== 'claim'
  // A worker that asks for jobs renews its lease, and an installed system asks for one.
  if (asking.includes(event.hop) && event.hop !== 'dhcp-discover') return afterBoot.includes(journey.hop)
  return false
}

function detailOf(event: MachineEvent): Partial<Journey> {
  switch (event.hop) {
    case 'dhcp-offer':
    case 'dhcp-ack':
    case 'boot-script':
    case 'local-disk':
      return event.address === '' ? {} : { address: event.address }
    case 'failed':
      return { job: event.job, failure: event.failure }
    case 'lost':
      return { job: event.job, ...(event.failure === undefined ? {} : { failure: event.failure }) }
    default:
      return 'job' in event ? { job: event.job } : {}
  }
}

/** The progress that an event tells, with a rate over the reports of its step. */
function progressOf(journey: Journey | undefined, event: MachineEvent, atMs: number): Partial<Journey> {
  if (event.hop !== 'step') return {}
  const { progress } = event
  const before = journey?.progress
  const seconds = journey === undefined ? 0 : (atMs - journey.heardMs) / 1000
  const bytes = (progress.doneBytes ?? 0) - (before?.doneBytes ?? 0)
  if (before === undefined || seconds <= 0 || bytes < 0) return { progress, ...(journey?.bytesPerSecond === undefined ? {} : { bytesPerSecond: journey.bytesPerSecond }) }
  const newest = bytes / seconds
  const bytesPerSecond = journey?.bytesPerSecond === undefined ? newest : journey.bytesPerSecond * (1 - newestShare) + newest * newestShare
  return { progress, bytesPerSecond: Math.round(bytesPerSecond) }
}
