import { styleText } from 'node:util'
import prettyBytes from 'pretty-bytes'
import { renderClock, renderSeconds } from '../timeline/render-time.ts'
import type { Live, Row } from './timeline.ts'

export interface Look {
  /** Columns of the terminal; undefined when the output is no terminal and lines may be long. */
  width?: number
  colours: boolean
}

type Style = Parameters<typeof styleText>[0]

/** One line of the timeline: `  0:04.2  m1     DHCP              10.77.0.100`. */
export function renderRow(row: Row, look: Look): string {
  if (row.kind === 'heading') return `\n${paint('bold', cut(row.title, look), look)}`
  const mark = row.tone === 'good' ? '✓ ' : row.tone === 'bad' ? '✗ ' : ''
  const style = row.tone === 'good' ? 'green' : row.tone === 'bad' ? 'red' : undefined
  return renderColumns({ atMs: row.atMs, who: row.who, what: `${mark}${row.what}`, rest: row.detail }, look, style)
}

/** What goes on at `nowMs`: how far it is, how fast and how long it will take, as far as that is known. */
export function renderLive(live: Live, nowMs: number, look: Look): string {
  const elapsedMs = nowMs - live.sinceMs
  return renderColumns({ atMs: nowMs - live.zeroMs, who: live.who, what: live.what, rest: [...measures(live, elapsedMs), live.detail].filter(Boolean).join('  ') }, look, 'cyan')
}

function measures({ doneBytes, totalBytes }: Live, elapsedMs: number): string[] {
  const bytesPerMs = doneBytes === undefined || elapsedMs < 1000 ? 0 : doneBytes / elapsedMs
  const rate = bytesPerMs > 0 ? [`${prettyBytes(bytesPerMs * 1000)}/s`] : []
  if (doneBytes === undefined) return [renderSeconds(elapsedMs)]
  if (totalBytes === undefined || totalBytes === 0) return [prettyBytes(doneBytes), ...rate]
  const share = Math.min(1, doneBytes / totalBytes)
  const left = bytesPerMs > 0 ? [`${renderSeconds((totalBytes - doneBytes) / bytesPerMs)} left`] : []
  return [bar(share), `${Math.floor(share * 100)} %`, `${prettyBytes(doneBytes)} of ${prettyBytes(totalBytes)}`, ...rate, ...left]
}

const barCells = 16
const bar = (share: number): string => '█'.repeat(Math.round(share * barCells)).padEnd(barCells, '░')

function renderColumns({ atMs, who, what, rest }: { atMs: number; who: string; what: string; rest: string }, look: Look, style?: Style): string {
  const clock = renderClock(atMs).padStart(9)
  const line = cut(`${clock}  ${who.padEnd(9)} ${what.padEnd(22)} ${rest}`.trimEnd(), look)
  const machine = machineStyle(who)
  return [
    paint('dim', line.slice(0, 11), look),
    machine === undefined ? line.slice(11, 21) : paint(machine, line.slice(11, 21), look),
    style === undefined ? line.slice(21) : paint(style, line.slice(21), look),
  ].join('')
}

/** Each machine has a colour of its own, the same at every run. */
function machineStyle(who: string): Style | undefined {
  const styles = ['blue', 'magenta', 'yellow', 'cyan', 'green'] as const
  const number = /^m(\d+)$/.exec(who)
  return number === null ? undefined : styles[(Number(number[1]) - 1) % styles.length]
}

const paint = (style: Style, text: string, { colours }: Look): string => (colours ? styleText(style, text, { validateStream: false }) : text)

const cut = (text: string, { width }: Look): string => (width === undefined || text.length <= width ? text : `${text.slice(0, width - 1)}…`)
