import fc from 'fast-check'
import { expect, test } from 'vitest'
import { applyOrder } from '../../../server/overview/apply-order.ts'
import { diffOrder } from '../../../server/overview/diff-order.ts'

const orders = fc.uniqueArray(fc.integer({ min: 0, max: 30 }).map(String), { maxLength: 30 })

test('whoever follows comes to the same order, whatever became of it', () => {
  fc.assert(
    fc.property(orders, orders, (before, after) => {
      const gone = before.filter((id) => !after.includes(id))
      const left = before.filter((id) => after.includes(id))
      expect(applyOrder(before, gone, diffOrder(left, after))).toEqual(after)
    }),
  )
})

test('jobs that are put at the end cost only themselves', () => {
  const before = Array.from({ length: 10_000 }, (_, index) => `job-${index}`)
  expect(diffOrder(before, [...before, 'new'])).toEqual({ at: 10_000, remove: 0, ids: ['new'] })
})

test('an order that is the same is no change', () => {
  expect(diffOrder(['a', 'b'], ['a', 'b'])).toBeUndefined()
  expect(diffOrder([], [])).toBeUndefined()
})
