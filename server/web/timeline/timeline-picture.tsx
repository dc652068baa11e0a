import { now } from '../state/clock.ts'
import { exactDuration } from '../text.ts'
import { kinds, shareOf, type Moment, type Picture, type Span, type SpanKind } from './spans-of.ts'

const names: Record<SpanKind, string> = { boot: 'booting', prepare: 'preparing', step: 'performing', proof: 'proving' }
/** A bar is seen when it is so wide, in per cent of the whole. */
const leastWidth = 0.6

/** The way of a job: one line for each thing that took time, on one clock, and above them what each kind took of the whole. */
export function TimelinePicture({ of: { spans, moments }, isUnderWay }: { of: Picture; isUnderWay: boolean }) {
  const startMs = Math.min(...spans.map((span) => span.startMs), ...moments.map(({ atMs }) => atMs))
  const known = Math.max(...spans.flatMap(({ endMs }) => endMs ?? []), ...moments.map(({ atMs }) => atMs), startMs + 1)
  const endMs = isUnderWay ? Math.max(known, now.value) : known
  const whole = endMs - startMs
  const place = (ms: number): number => ((ms - startMs) / whole) * 100
  const shares = shareOf(spans, endMs)
  return (
    <figure class="timeline">
      <figcaption>
        <b>{exactDuration(whole)}</b>
        <ul>
          {kinds.map((kind) =>
            shares[kind] === 0 ? null : (
              <li key={kind} class={kind}>
                <i aria-hidden="true" /> {names[kind]} {exactDuration(shares[kind])} <small>{Math.round((shares[kind] / whole) * 100)} %</small>
              </li>
            ),
          )}
        </ul>
      </figcaption>
      <ol>
        {lines({ spans, moments }).map((line, index) =>
          'atMs' in line ? (
            <li key={index} class={`moment ${line.tone}`}>
              <span class="what">{line.what}</span>
              <span class="track">
                <i style={{ left: `${place(line.atMs)}%` }} />
              </span>
              <span class="took" />
              <span class="detail">{line.detail}</span>
            </li>
          ) : (
            <Line key={index} span={line} left={place(line.startMs)} right={place(line.endMs ?? endMs)} took={(line.endMs ?? endMs) - line.startMs} />
          ),
        )}
      </ol>
    </figure>
  )
}

const lines = ({ spans, moments }: Picture): (Span | Moment)[] => {
  const at = (line: Span | Moment): number => ('atMs' in line ? line.atMs : line.startMs)
  return [...spans, ...moments].toSorted((one, other) => at(one) - at(other))
}

const Line = ({ span: { what, detail, kind, endMs }, left, right, took }: { span: Span; left: number; right: number; took: number }) => (
  <li class={`${kind} ${endMs === undefined ? 'goes-on' : ''}`}>
    <span class="what">{what}</span>
    <span class="track">
      <i style={{ left: `${Math.min(left, 100 - leastWidth)}%`, width: `${Math.max(leastWidth, right - left)}%` }} />
    </span>
    <span class="took">{exactDuration(took)}</span>
    <span class="detail">{detail}</span>
  </li>
)
