import type { OrderChange } from '../api/overview.ts'

/** An order after a change: what is gone goes first, and then one stretch gives way to another. */
export function applyOrder(before: readonly string[], gone: readonly string[], change: OrderChange | undefined): readonly string[] {
  if (gone.length === 0 && change === undefined) return before
  const away = new Set(gone)
  const left = gone.length === 0 ? before : before.filter((id) => !away.has(id))
  return change === undefined ? left : [...left.slice(0, change.at), ...change.ids, ...left.slice(change.at + change.remove)]
}
