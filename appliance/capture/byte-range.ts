/** Bytes of a disk from `startBytes` up to, not including, `endBytes`: `{ startBytes: 0, endBytes: 1048576 }` is the first MiB. */
export interface ByteRange {
  startBytes: number
  endBytes: number
}

/** The same bytes as few ranges as possible: in order, without overlap, and never two that touch. */
export function mergeRanges(ranges: readonly ByteRange[]): ByteRange[] {
  const merged: ByteRange[] = []
  for (const range of ranges.toSorted((left, right) => left.startBytes - right.startBytes)) {
    const last = merged.at(-1)
    if (range.endBytes <= range.startBytes) continue
    if (last !== undefined && range.startBytes <= last.endBytes) last.endBytes = Math.max(last.endBytes, range.endBytes)
    else merged.push({ ...range })
  }
  return merged
}

export const sizeOfRanges = (ranges: readonly ByteRange[]): number => ranges.reduce((sum, range) => sum + range.endBytes - range.startBytes, 0)

/** What of the first `endBytes` bytes is in none of the ranges, in order. */
export function invertRanges(ranges: readonly ByteRange[], endBytes: number): ByteRange[] {
  const gaps: ByteRange[] = []
  let at = 0
  for (const range of mergeRanges(ranges)) {
    if (range.startBytes >= endBytes) break
    if (range.startBytes > at) gaps.push({ startBytes: at, endBytes: range.startBytes })
    at = range.endBytes
  }
  if (at < endBytes) gaps.push({ startBytes: at, endBytes })
  return gaps
}
