import { expect, test } from 'vitest'
import { renderDisk } from '../../../server/api/choose-disk.ts'
import { faceDanger, layoutSizeBytes, makeSystem, type Danger } from './danger-bench.ts'
import { dangers } from './dangers.ts'
import { by, bytesAt } from './fill-disk.ts'

/*
 * F1: what must not be written is not, whatever it is. Each case is a machine whose disks are loop devices, and the real step that partitions; needs root.
 */

test.each(dangers.map((danger) => [danger.what, danger] as const))('F1 a disk is left alone that %s', { timeout: 60_000 }, async (_, danger) => {
  const { refusal, foretold, changed, seen } = await faceDanger(danger)
  expect(refusal).toMatch(danger.refusal)
  expect(changed).toEqual([])
  // Who reads the refusal knows which disks the machine has: those that were seen then, or now.
  for (const disk of seen) if (danger.now === undefined) expect(refusal).toContain(renderDisk(disk))
  // The server had foretold it in the same words, unless it came about since.
  if (danger.between === undefined && danger.now === undefined) expect(foretold).toBe(`would write nothing: ${refusal}`)
})

const allowed: Omit<Danger, 'refusal'>[] = [
  { what: 'is the only one and empty', disks: [{}] },
  { what: 'is erased flash that reads as ones', disks: [{ fill: bytesAt([0, Buffer.alloc(16 * 2 ** 20, 0xff)]) }] },
  { what: 'has sectors of 4096 bytes', disks: [{ sectorBytes: 4096, sizeMiB: 32 }] },
  { what: 'is exactly as large as it must be', disks: [{ sizeMiB: layoutSizeBytes / 2 ** 20 }] },
  { what: 'holds data and is marked as scratch', disks: [{ fill: by('mke2fs', '-q', '-F') }], marks: ['S1'] },
  { what: 'is the one beside a USB stick', disks: [{ says: { transport: 'usb', removable: true } }, {}] },
]
test.each(allowed.map((danger) => [danger.what, danger] as const))('a disk is written that %s, and no other', { timeout: 60_000 }, async (_, danger) => {
  const { refusal, foretold, changed } = await faceDanger({ ...danger, refusal: /never/ })
  expect([refusal, changed]).toEqual([undefined, [expect.stringMatching(/^\/dev\/loop/)]])
  expect(foretold).toMatch(/^would erase /)
})

test('F1 the system that a job has made is not overwritten by the next job without a mark', { timeout: 60_000 }, async () => {
  const { refusal, changed } = await faceDanger({
    what: '',
    disks: [{ fill: makeSystem }],
    refusal: /never/,
  })
  expect(refusal).toMatch(/holds data \(gpt partition table/)
  expect(changed).toEqual([])
})
