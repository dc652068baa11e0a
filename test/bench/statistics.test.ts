import { describe, expect, it } from 'vitest'
import { percentileOf, spreadOf } from './statistics.ts'

describe('spreadOf', () => {
  it('sorts by value and takes the middle one', () => expect(spreadOf([100, 9, 20])).toEqual({ min: 9, median: 20, max: 100 }))
  it('takes the mean of the two in the middle of an even number', () => expect(spreadOf([4, 1, 3, 10])).toEqual({ min: 1, median: 3.5, max: 10 }))
  it('refuses nothing at all', () => expect(() => spreadOf([])).toThrow('expected at least one value'))
})

describe('percentileOf', () => {
  const hundred = Array.from({ length: 100 }, (_, index) => 100 - index)
  it('is the least value that so many are not above', () => expect([50, 99, 100].map((percent) => percentileOf(hundred, percent))).toEqual([50, 99, 100]))
  it('is the only value of one', () => expect(percentileOf([7], 99)).toBe(7))
  it('refuses nothing at all', () => expect(() => percentileOf([], 50)).toThrow('expected at least one value'))
})
