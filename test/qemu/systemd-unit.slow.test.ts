import { expect, test } from 'vitest'
import { runScene, type Scene } from './run-scene.ts'
import type { SystemdUnitResult } from './systemd-unit/inside.ts'

const limitMs = 60 * 60_000

test('run by systemd with its hardened unit, the first computer builds a root filesystem, boots a bare machine, and proves its image on BIOS and on UEFI', { timeout: limitMs }, async () => {
  const { job, unit, state } = await runScene<Scene, SystemdUnitResult>('systemd-unit', {}, limitMs)
  expect(unit).toMatch(/^NoNewPrivileges=yes$/m)
  expect(job).toMatchObject({ end: 'performed', status: { state: 'performed' }, attempts: [] })
  // It was never started again, and ends as it is asked to.
  expect(state).toEqual({ NRestarts: '0', Result: 'success', ActiveState: 'inactive' })
})
