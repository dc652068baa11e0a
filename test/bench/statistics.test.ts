import { describe, expect, it } from 'vitest'
import { spreadOf } from './statistics.ts'

describe('spreadOf', () => {
  it('sorts by value and takes the middle one', () => expect(spreadOf([100, 9, 20])).toEqual({ min: 9, median: 20, max: 100 }))
  it('takes the mean of the two in the middle of an even number', () => expect(spreadOf([4, 1, 3, 10])).toEqual({ min: 1, median: 3.5, max: 10 }))
  it('refuses nothing at all', () => expect(() => spreadOf([])).toThrow('expected at least one value'))
})
