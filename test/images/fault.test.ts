import { Type } from 'typebox'
import { expect, test } from 'vitest'
import { renderFault } from '../../images/fault.ts'
import { findFaults } from '../../images/parse-document.ts'

const closed = { additionalProperties: false }
const nullable = Type.Union([Type.Object({ size: Type.Integer({ minimum: 1 }) }, closed), Type.Null()])
const pick = Type.Union([Type.Object({ before: Type.String() }, closed), Type.Object({ after: Type.String() }, closed)], { description: 'before or after' })
const schema = Type.Object({ items: Type.Array(nullable), pick: Type.Optional(pick), name: Type.Optional(Type.String()) }, closed)

test.each([
  ['what is wrong in the branch that the value is of', { items: [{ size: 0 }] }, ['items[0].size: expected a number >= 1, got 0']],
  ['each place for itself', { items: [null, 'x', ...Array(9).fill(null), { size: 'y' }] }, ['items[11].size: expected integer, got "y"', 'items[1]: expected object or null, got "x"']],
  ['what the union is when no branch is meant', { items: [], pick: { beside: 'x' } }, ['pick: expected before or after, got {"beside":"x"}']],
  ['beside what is wrong elsewhere', { items: [7], name: 7 }, ['items[0]: expected object or null, got 7', 'name: expected string, got 7']],
])('a value that fits no branch of a union is told once: %s', (_, value, faults) => {
  expect(findFaults(schema, value).map(renderFault).sort()).toEqual(faults)
})
