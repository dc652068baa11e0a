import { expect, test } from 'vitest'
import { run } from '../../../appliance/run.ts'
import { accelerator, runsGuest } from '../../../server/rack/accelerator.ts'

test('emulation runs the probe, so a failed probe is the fault of KVM', async () => {
  expect(await runsGuest('tcg', run)).toBe(true)
})

test('a guest that does not end in time does not count as run', async () => {
  expect(await runsGuest('tcg', run, 1)).toBe(false)
})

test('KVM is used exactly where the probe ends under it', async () => {
  const works = await runsGuest('kvm', run)
  expect(await accelerator(run)).toBe(works ? 'kvm' : 'tcg,thread=multi')
})

test('a QEMU that cannot start is no guest that ran', async () => {
  const broken: typeof run = (program, args, options) => run(program, [...args, '-no-such-option'], options)
  expect(await runsGuest('tcg', broken)).toBe(false)
})
