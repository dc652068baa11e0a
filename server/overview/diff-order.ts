import type { OrderChange } from '../api/overview.ts'

/** How one order becomes another, as the one stretch in which they differ; nothing when they are the same. A move costs what it passes over. */
export function diffOrder(before: readonly string[], after: readonly string[]): OrderChange | undefined {
  let at = 0
  while (at < before.length && at < after.length && before[at] === after[at]) at++
  let kept = 0
  const most = Math.min(before.length, after.length) - at
  while (kept < most && before[before.length - 1 - kept] === after[after.length - 1 - kept]) kept++
  const remove = before.length - at - kept
  const ids = after.slice(at, after.length - kept)
  return remove === 0 && ids.length === 0 ? undefined : { at, remove, ids }
}
