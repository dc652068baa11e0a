import type { Progress } from '../../server/api/status.ts'

/** So long something must have gone on before its rate says anything. */
const soonestMs = 1000

/**
 * Gives each report of progress how fast it goes: bytes a second since the step, or what it does for now, began. What it is told of comes in the order in which
 * it happens; `now` is in milliseconds.
 */
export function createRateMeter(now: () => number = () => performance.now()): (progress: Progress) => Progress {
  let begun: { what: string; atMs: number; doneBytes: number } | undefined
  return (progress) => {
    const { step, detail = '', doneBytes } = progress
    if (doneBytes === undefined) return progress
    const what = `${step} ${detail}`
    if (begun?.what !== what || doneBytes < begun.doneBytes) begun = { what, atMs: now(), doneBytes }
    const elapsedMs = now() - begun.atMs
    if (elapsedMs < soonestMs) return progress
    return { ...progress, bytesPerSecond: Math.round(((doneBytes - begun.doneBytes) / elapsedMs) * 1000) }
  }
}
