import { expect, test } from 'vitest'
import { preferWait } from '../../../server/http/prefer-wait.ts'

test.each([
  ['wait=25', 25],
  ['respond-async, WAIT = "7"; x=y', 7],
  ['wait=3, wait=9', 3],
  ['wait=3600', 60],
  ['wait=soon', undefined],
  ['waiting=5', undefined],
  ['respond-async', undefined],
])('RFC 7240 Prefer: %s', (header, seconds) => {
  expect(preferWait(header)).toBe(seconds)
})
