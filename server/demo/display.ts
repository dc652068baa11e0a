import type { WriteStream } from 'node:tty'
import { createLogUpdate } from 'log-update'
import type { DemoEvent, EmitDemo } from './event.ts'
import { renderLive, renderRow, type Look } from './render-timeline.ts'
import { renderSummary } from './render-summary.ts'
import { advanceTimeline, emptyTimeline } from './timeline.ts'

export interface Display {
  emit: EmitDemo
  close(): void
}

export interface DisplayOptions {
  output: NodeJS.WriteStream
  /** One line of JSON per event in place of the picture. */
  json: boolean
  colours: boolean
}

const redrawMs = 250
/** Where lines cannot be drawn over, what goes on is told this often. */
const plainProgressMs = 15_000

/** Shows the demo as it happens: on a terminal with lines that move, else line by line. */
export function openDisplay(options: DisplayOptions): Display {
  if (options.json) return { emit: (event) => void options.output.write(`${JSON.stringify(stamp(event))}\n`), close: () => {} }
  return options.output.isTTY ? openLiveDisplay(options.output, options.colours) : openPlainDisplay(options.output, options.colours)
}

const stamp = (event: Parameters<EmitDemo>[0]): DemoEvent => ({ time: new Date().toISOString(), ...event }) as DemoEvent

function openLiveDisplay(output: WriteStream, colours: boolean): Display {
  const draw = createLogUpdate(output)
  let timeline = emptyTimeline(Date.now())
  // Asked anew each time: resizing is not told to a process in a session of its own.
  const look = (): Look => ({ width: output.getWindowSize()[0], colours })
  const redraw = (): void => {
    if (timeline.live.size === 0) draw.clear()
    else draw([...timeline.live.values()].map((live) => renderLive(live, Date.now(), look())).join('\n'))
  }
  const timer = setInterval(redraw, redrawMs)
  return {
    emit(event) {
      const advanced = advanceTimeline(timeline, stamp(event))
      timeline = advanced.timeline
      const lines = [...advanced.rows.map((row) => renderRow(row, look())), ...closingLines(timeline, event)]
      if (lines.length > 0) {
        draw.clear()
        output.write(`${lines.join('\n')}\n`)
      }
      redraw()
    },
    close() {
      clearInterval(timer)
      draw.clear()
      draw.done()
    },
  }
}

function openPlainDisplay(output: NodeJS.WritableStream, colours: boolean): Display {
  let timeline = emptyTimeline(Date.now())
  const toldAt = new Map<string, number>()
  const tellProgress = (): void => {
    for (const [key, live] of timeline.live) {
      if (Date.now() - Math.max(toldAt.get(key) ?? 0, live.sinceMs) < plainProgressMs) continue
      toldAt.set(key, Date.now())
      output.write(`${renderLive(live, Date.now(), { colours })}\n`)
    }
  }
  const timer = setInterval(tellProgress, 1000)
  return {
    emit(event) {
      const advanced = advanceTimeline(timeline, stamp(event))
      timeline = advanced.timeline
      for (const line of [...advanced.rows.map((row) => renderRow(row, { colours })), ...closingLines(timeline, event)]) output.write(`${line}\n`)
    },
    close: () => clearInterval(timer),
  }
}

/** What stands below the timeline once it has ended, well or badly. */
function closingLines(timeline: Parameters<typeof renderSummary>[0], event: Parameters<EmitDemo>[0]): string[] {
  if (event.kind === 'finished') return renderSummary(timeline, stamp(event) as Extract<DemoEvent, { kind: 'finished' }>)
  if (event.kind !== 'failed') return []
  return [
    ...(event.consoleTail.length > 0 ? ['', 'The last lines of its console:', ...event.consoleTail.map((line) => `  ${line}`)] : []),
    ...(event.consolePath === undefined ? [] : ['', `The whole console: ${event.consolePath}`]),
    ...(event.log === undefined ? [] : [`The log of the first computer: ${event.log}`]),
  ]
}
