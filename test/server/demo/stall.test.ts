import { expect, test } from 'vitest'
import { describeHop, stallLimit } from '../../../server/demo/stall.ts'

test('what is missed after a hop is what the next hop would have been', () => {
  expect(stallLimit('power-on', 'kvm')).toEqual({ missing: 'no DHCP request', limitMs: 60_000 })
  expect(stallLimit('tftp', 'kvm')).toEqual({ missing: 'no boot script asked for', limitMs: 60_000 })
})

test('an emulated machine gets more time', () => {
  expect(stallLimit('stage2', 'tcg,thread=multi').limitMs).toBeGreaterThan(stallLimit('stage2', 'kvm').limitMs)
})

test('a machine whose job has ended is waited for no longer', () => {
  expect(stallLimit('performed', 'kvm').limitMs).toBe(Infinity)
})

test('a hop is named with the file or the step that tells it from the others', () => {
  const machine = { time: '2026-11-23T21:20:01.123Z', machine: '52-54-00-77-00-01' }
  expect(describeHop({ ...machine, hop: 'tftp', file: 'undionly.kpxe', bytes: 74213, ms: 180 })).toBe('tftp undionly.kpxe')
  expect(describeHop({ ...machine, hop: 'step', job: 'a', progress: { stepIndex: 2, stepCount: 7, step: 'install-rootfs' } })).toBe('step 3/7 install-rootfs')
  expect(describeHop(undefined)).toBe('power-on')
})
