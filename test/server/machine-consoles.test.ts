import { mkdtemp, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeEach, expect, onTestFinished, test } from 'vitest'
import { keptBytes, openMachineConsoles, type MachineConsoles } from '../../server/machine-consoles.ts'

const id = '52-54-00-12-34-56'
let directory: string
let consoles: MachineConsoles
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'ingot-consoles-'))
  onTestFinished(() => rm(directory, { recursive: true }))
  consoles = openMachineConsoles(directory)
})

test('what a machine says stays in its order, also when it comes at once, and is there after a restart', async () => {
  const lines = Array.from({ length: 50 }, (_, number) => `line ${number}\n`)
  await Promise.all(lines.map((line) => consoles.append(id, line)))
  expect(await openMachineConsoles(directory).read(id)).toBe(lines.join(''))
})

test('of a machine that says much whole lines of the end are kept, and no more of the disk is taken', async () => {
  const line = (number: number) => `${String(number).padStart(6, '0')} ${'x'.repeat(1000)}\n`
  for (let number = 0; number < 600; number += 100) await consoles.append(id, Array.from({ length: 100 }, (_, each) => line(number + each)).join(''))
  const kept = await consoles.read(id)
  expect(kept.length).toBeGreaterThan(keptBytes - 2000)
  expect(kept.length).toBeLessThanOrEqual(keptBytes)
  expect(kept.endsWith(line(599))).toBe(true)
  expect(kept).toMatch(/^\d{6} x/)
  expect((await stat(join(directory, 'machines', `${id}.console`))).size).toBeLessThanOrEqual(2 * keptBytes)
})

test('what a terminal obeys gets no further', async () => {
  await consoles.append(id, 'a\u001b[2Jb\rc\u009bd\u202ee\u2028f\tg\n')
  expect(await consoles.read(id)).toBe('a?[2Jb?c?d?e?f\tg\n')
})
