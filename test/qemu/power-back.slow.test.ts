import { expect, test } from 'vitest'
import type { PowerBackResult } from './power-back/inside.ts'
import { runScene, type Scene } from './run-scene.ts'

const limitMs = 40 * 60_000

test('F9 a machine that loses its power while it sends its disk sends on when it is back: nothing is installed anew, and at most a chunk goes twice', { timeout: limitMs }, async () => {
  const { job, steps, storedBytes, sentBytes } = await runScene<Scene, PowerBackResult>('power-back', {}, limitMs)
  expect(job).toMatchObject({ end: 'performed', attempts: [{ attempt: 1, loss: 'silent' }] })
  expect(steps).toEqual(expect.arrayContaining(['snapshot', 'configure-file', 'image']))
  for (const step of ['partition', 'install-rootfs', 'install-bootloader']) expect(steps).not.toContain(step)
  // A chunk, and beside the chunks: questions whether some are there, reports, and the acknowledgements of what the machine fetched.
  const besides = 1024 ** 2 + 4e6
  expect(storedBytes.atCut).toBeGreaterThan(30e6)
  expect(sentBytes).toBeLessThan(storedBytes.atEnd - storedBytes.atCut + besides)
})
