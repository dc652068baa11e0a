import { describe, expect, test } from 'vitest'
import { Compile } from 'typebox/compile'
import { newJobSchema } from '../../../server/api/job.ts'
import type { ImageDetails } from '../../../server/api/image-details.ts'
import { diffImages } from '../../../server/web/images/diff-images.ts'
import { newJobOf } from '../../../server/web/jobs/new-job.ts'
import { doneShare } from '../../../server/web/parts/progress.tsx'
import { standingOf } from '../../../server/web/rack/hardware.ts'
import { diskOf } from './fill-data.ts'

describe('a new job', () => {
  const form = (fields: Record<string, string>): FormData => {
    const values = new FormData()
    for (const [name, value] of Object.entries(fields)) values.set(name, value)
    return values
  }

  test('leaves out what was left empty, so that the defaults of the server hold', () => {
    expect(newJobOf(form({ recipe: 'web', id: '', priority: '', 'requires.firmware': '', 'requires.labels': ' ' }))).toEqual({ recipe: 'web' })
  })

  test('is one that the server takes', () => {
    const job = newJobOf(form({ recipe: 'web', id: 'web-1', priority: '-5', timeLimitMinutes: '90', maxAttempts: '2', whenLost: 'remove', assignedTo: 'm1', 'requires.firmware': 'uefi', 'requires.memoryMiB': '4096', 'requires.diskGiB': '80', 'requires.labels': 'rack=b2, room=3' }))
    expect(job).toEqual({ recipe: 'web', id: 'web-1', priority: -5, timeLimitSeconds: 5400, maxAttempts: 2, whenLost: 'remove', assignedTo: 'm1', requires: { firmware: 'uefi', memoryMiB: 4096, diskGiB: 80, labels: { rack: 'b2', room: '3' } } })
    expect(Compile(newJobSchema).Check(job)).toBe(true)
  })
})

describe('two versions of an image', () => {
  const image = (more: Partial<ImageDetails>): ImageDetails => ({
    ...{ name: 'web', version: 'web-1', digest: 'sha256:1', publishedAt: '', builtAt: '', diskBytes: 2 ** 32, storedBytes: 1, firmware: ['bios'], recipe: { name: 'web', digest: 'sha256:a' }, job: 'j', machine: 'm' },
    ...{ packageCount: 1, proof: null, signature: { tells: '', problems: [] }, architecture: 'amd64', sectorBytes: 512, workerVersion: '1', partitions: [], packages: [{ name: 'nginx', version: '1' }], ...more },
  })

  test('differ in packages that came, went and changed, and in what the image is', () => {
    const before = image({ packages: [{ name: 'gone', version: '1' }, { name: 'nginx', version: '1' }, { name: 'same', version: '1' }] })
    const after = image({ packages: [{ name: 'came', version: '1' }, { name: 'nginx', version: '2' }, { name: 'same', version: '1' }], firmware: ['bios', 'uefi'] })
    expect(diffImages(before, after)).toEqual({
      packages: [{ what: 'came', after: '1' }, { what: 'gone', before: '1' }, { what: 'nginx', before: '1', after: '2' }],
      configuration: [{ what: 'firmware', before: 'bios', after: 'bios, uefi' }],
    })
  })

  test('that are alike have no difference', () => {
    expect(diffImages(image({}), image({ version: 'web-2', builtAt: 'later' }))).toEqual({ packages: [], configuration: [] })
  })
})

test('how far a job is counts the steps before, and of the present one its bytes', () => {
  expect(doneShare({ stepIndex: 1, stepCount: 4, step: 's' })).toBe(0.25)
  expect(doneShare({ stepIndex: 1, stepCount: 4, step: 's', doneBytes: 50, totalBytes: 100 })).toBe(0.375)
})

test.each([
  ['empty', {}, []],
  ['holds data', { contents: ['ext4'] }, []],
  ['marked', { contents: ['ext4'] }, ['S4EWNX0M000001']],
  ['never picked', { transport: 'usb' }, ['S4EWNX0M000001']],
  ['never picked', { transport: 'iscsi' }, ['S4EWNX0M000001']],
  ['never picked', { contents: [], unfit: ['is mounted at /srv'] }, []],
] as const)('F1 a disk is told to be %s', (standing, more, scratchSerials) => {
  expect(standingOf(diskOf(1, more as never), { scratchSerials: [...scratchSerials] })).toBe(standing)
})
