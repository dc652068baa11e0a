import { setImmediate as turn } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { createByteWindow } from '../../../appliance/capture/byte-window.ts'

test('acts run together as far as they fit, in their order, and one that is too large runs alone', async () => {
  const within = createByteWindow(10)
  const ends: (() => void)[] = []
  const begun: number[] = []
  const all = [4, 6, 3, 25, 1].map((bytes) => within(bytes, () => new Promise<void>((resolve) => void (begun.push(bytes), ends.push(resolve)))))
  await turn()
  expect(begun).toEqual([4, 6])
  ends[0]!()
  await turn()
  expect(begun).toEqual([4, 6, 3])
  ends[1]!()
  await turn()
  expect(begun).toEqual([4, 6, 3])
  ends[2]!()
  await turn()
  expect(begun).toEqual([4, 6, 3, 25])
  ends[3]!()
  await turn()
  expect(begun).toEqual([4, 6, 3, 25, 1])
  ends[4]!()
  await Promise.all(all)
})

test('an act that fails gives its place back', async () => {
  const within = createByteWindow(10)
  await expect(within(10, () => Promise.reject(new Error('cut')))).rejects.toThrow('cut')
  expect(await within(10, async () => 'sent')).toBe('sent')
})
