import type { MachineEvent } from '../../api/event.ts'
import type { ProofBoot } from '../../api/proof.ts'
import { bytes, rate } from '../text.ts'

/** Where the time went, in four parts. */
export const kinds = ['boot', 'prepare', 'step', 'proof'] as const
export type SpanKind = (typeof kinds)[number]

/** Something that took time; milliseconds since 1970. Without an end it goes on. */
export interface Span {
  what: string
  detail: string
  kind: SpanKind
  startMs: number
  endMs?: number
}

/** Something that happened at a moment. */
export interface Moment {
  what: string
  detail: string
  atMs: number
  tone: 'good' | 'bad' | 'plain'
}

export interface Picture {
  spans: Span[]
  moments: Moment[]
}

/** The way of a job as spans and moments, from its events, oldest first. */
export function spansOf(events: readonly MachineEvent[]): Picture {
  const spans: Span[] = []
  const moments: Moment[] = []
  const begin = (kind: SpanKind, what: string, startMs: number, detail = ''): void => void spans.push({ what, detail, kind, startMs })
  const running = (fits: (span: Span) => boolean): Span | undefined => spans.findLast((span) => span.endMs === undefined && fits(span))
  const end = (fits: (span: Span) => boolean, atMs: number): void => {
    const span = running(fits)
    if (span !== undefined) span.endMs = Math.max(atMs, span.startMs)
  }
  const isStep = ({ kind }: Span): boolean => kind === 'step'
  const all = (): boolean => true
  const transfer = (kind: SpanKind, what: string, atMs: number, { bytes: size, ms }: { bytes: number; ms: number }): void => {
    spans.push({ what, kind, startMs: atMs - ms, endMs: atMs, detail: `${bytes(size)}${ms > 0 ? `, ${rate((size * 1000) / ms)}` : ''}` })
  }
  for (const event of events) {
    const atMs = Date.parse(event.time)
    switch (event.hop) {
      case 'dhcp-discover':
        if (running(({ what }) => what === 'DHCP') === undefined && !spans.some(({ what }) => what === 'DHCP')) begin('boot', 'DHCP', atMs)
        break
      case 'dhcp-ack':
        end(({ what }) => what === 'DHCP', atMs)
        break
      case 'tftp':
        transfer('boot', event.file, atMs, event)
        break
      case 'kernel':
      case 'initramfs':
        transfer('boot', event.hop, atMs, event)
        break
      case 'stage2':
        transfer('boot', 'stage 2', atMs, event)
        begin('boot', 'starts the worker', atMs)
        break
      case 'worker':
        // The claim may be told before what the machine is.
        if (moments.length > 0) break
        end(({ kind }) => kind === 'boot', atMs)
        begin('prepare', 'waits for a job', atMs)
        break
      case 'claim':
        end(all, atMs)
        moments.push({ what: 'claimed', detail: event.machine, atMs, tone: 'plain' })
        break
      case 'component':
        transfer('prepare', event.name, atMs, event)
        break
      case 'step': {
        const { stepIndex, stepCount, step, doneBytes } = event.progress
        const what = `${stepIndex + 1}/${stepCount} ${step}`
        if (running((span) => isStep(span) && span.what === what) === undefined) {
          end(isStep, atMs)
          begin('step', what, atMs)
        }
        if (doneBytes !== undefined && doneBytes > 0) running(isStep)!.detail = bytes(doneBytes)
        break
      }
      case 'image':
        end(isStep, atMs)
        moments.push({ what: 'image received', detail: bytes(event.blobBytes), atMs, tone: 'good' })
        break
      case 'proof':
        tellProof(event)
        break
      case 'performed':
        end(all, atMs)
        moments.push({ what: 'performed', detail: '', atMs, tone: 'good' })
        break
      case 'failed':
        end(all, atMs)
        moments.push({ what: 'failed', detail: event.failure.message, atMs, tone: 'bad' })
        break
      case 'lost':
        end(all, atMs)
        moments.push({ what: 'lost', detail: event.loss, atMs, tone: 'bad' })
        break
    }
  }
  return { spans, moments }

  function tellProof({ time, boot, event }: Extract<MachineEvent, { hop: 'proof' }>): void {
    const atMs = Date.parse(time)
    if (boot === undefined) return
    const what = `proof on ${nameOf(boot)}`
    if (event.kind === 'power-on') begin('proof', what, atMs)
    if (event.kind === 'login') {
      const span = running((each) => each.what === what)
      if (span !== undefined) span.detail = `login after ${(event.ms / 1000).toFixed(1)} s`
    }
    if (event.kind === 'proven') end((each) => each.what === what, atMs)
  }
}

const nameOf = ({ firmware, secureBoot }: ProofBoot): string => `${firmware === 'uefi' ? 'UEFI' : 'BIOS'}${secureBoot ? ' with Secure Boot' : ''}`

/** How long each kind took in all, overlaps counted once. */
export function shareOf(spans: readonly Span[], nowMs: number): Record<SpanKind, number> {
  const sums = { boot: 0, prepare: 0, step: 0, proof: 0 }
  for (const kind of kinds) {
    let until = 0
    for (const { startMs, endMs = nowMs } of spans.filter((span) => span.kind === kind).toSorted((one, other) => one.startMs - other.startMs)) {
      sums[kind] += Math.max(0, endMs - Math.max(startMs, until))
      until = Math.max(until, endMs)
    }
  }
  return sums
}
