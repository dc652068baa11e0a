import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createLogBuffer } from '../../../appliance/worker/log-buffer.ts'

const drain = (buffer: ReturnType<typeof createLogBuffer>): string => {
  let text = ''
  for (let batch = buffer.next(); batch !== undefined; batch = buffer.next()) {
    text += Buffer.from(batch).toString()
    buffer.arrived(batch.byteLength)
  }
  return text
}

test('every line comes out once and in order, however the bytes arrive', () => {
  fc.assert(
    fc.property(fc.array(fc.oneof(fc.string(), fc.nat(1000))), (actions) => {
      const buffer = createLogBuffer()
      let received = ''
      for (const action of actions) {
        if (typeof action === 'string') buffer.push(action)
        else {
          const batch = buffer.next()
          const arrived = Buffer.from(batch ?? []).subarray(0, action)
          buffer.arrived(arrived.length)
          received += arrived.toString('latin1')
        }
      }
      received += Buffer.from(drain(buffer)).toString('latin1')
      const lines = actions.filter((action) => typeof action === 'string')
      expect(received).toBe(Buffer.from(lines.map((line) => `${line}\n`).join('')).toString('latin1'))
    }),
  )
})

test('a full buffer drops the oldest lines and tells how much, and what was on its way stays as it was', () => {
  const buffer = createLogBuffer({ limitBytes: 1000 })
  buffer.push('on its way')
  const batch = Buffer.from(buffer.next()!).toString()
  for (let number = 0; number < 1000; number++) buffer.push(`line ${number}`)
  expect(Buffer.from(buffer.next()!).toString()).toBe(batch)
  buffer.arrived(batch.length)
  const [notice, ...lines] = drain(buffer).trimEnd().split('\n')
  const dropped = Number(/^\[(\d+) lines \(\d+ bytes\) were dropped here/.exec(notice!)?.[1])
  expect(dropped).toBeGreaterThan(0)
  expect(lines).toEqual(Array.from({ length: 1000 - dropped }, (_, index) => `line ${dropped + index}`))
})

test('one request carries no more than a server takes', () => {
  const buffer = createLogBuffer()
  for (let number = 0; number < 100; number++) buffer.push('x'.repeat(1_000_000))
  const sizes: number[] = []
  for (let batch = buffer.next(); batch !== undefined; batch = buffer.next()) {
    sizes.push(batch.byteLength)
    buffer.arrived(batch.byteLength)
  }
  expect(Math.max(...sizes)).toBeLessThan(512 * 1024)
  expect(sizes.length).toBeGreaterThan(1)
})
