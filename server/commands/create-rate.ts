import prettyBytes from 'pretty-bytes'
import prettyMs from 'pretty-ms'
import type { CommandContext } from './context.ts'

/** How often the bar is drawn anew. */
const drawEveryMs = 200
const barColumns = 24

/**
 * Shows on a terminal how far something is, how fast it goes and how long it still takes: `██████░░░░ 45 % of 1.2 GB, 210 MB/s, 3s left`. Into a file or another
 * program nothing is written.
 */
export function createRate({ showBar }: Pick<CommandContext, 'showBar'>, now: () => number = () => performance.now()): (doneBytes: number, totalBytes: number) => void {
  if (showBar === undefined) return () => {}
  const begunAt = now()
  let drawnAt = begunAt
  return (doneBytes, totalBytes) => {
    if (doneBytes >= totalBytes) return showBar(undefined)
    const at = now()
    if (at - drawnAt < drawEveryMs || doneBytes === 0) return
    drawnAt = at
    showBar(renderRate(doneBytes, totalBytes, at - begunAt))
  }
}

function renderRate(doneBytes: number, totalBytes: number, ms: number): string {
  const part = doneBytes / totalBytes
  const full = Math.floor(part * barColumns)
  const left = prettyMs(Math.ceil(((ms / part) * (1 - part)) / 1000) * 1000)
  return `${'█'.repeat(full)}${'░'.repeat(barColumns - full)} ${Math.floor(part * 100)} % of ${prettyBytes(totalBytes)}, ${prettyBytes((doneBytes / ms) * 1000)}/s, ${left} left`
}
