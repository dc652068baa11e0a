/** The least, the middle and the greatest of some values. */
export interface Spread {
  min: number
  median: number
  max: number
}

/** The spread of at least one value; the median of an even number of values is the mean of the two in the middle. */
export function spreadOf(values: readonly number[]): Spread {
  const sorted = values.toSorted((one, other) => one - other)
  const [min, max] = [sorted[0], sorted.at(-1)]
  if (min === undefined || max === undefined) throw new RangeError('expected at least one value, got none')
  const upper = sorted[Math.floor(sorted.length / 2)]!
  const lower = sorted[Math.floor((sorted.length - 1) / 2)]!
  return { min, median: (lower + upper) / 2, max }
}

/** The least value that so many of a hundred are not above, for example `percentileOf(values, 99)`; the nearest rank. */
export function percentileOf(values: readonly number[], percent: number): number {
  const sorted = values.toSorted((one, other) => one - other)
  const value = sorted[Math.max(0, Math.ceil((percent / 100) * sorted.length) - 1)]
  if (value === undefined) throw new RangeError('expected at least one value, got none')
  return value
}
