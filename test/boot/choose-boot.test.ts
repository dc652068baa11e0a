import { expect, test } from 'vitest'
import { chooseBoot, type KnownAtBoot } from '../../boot/choose-boot.ts'

const system = { image: 'web', version: 'web-1' }

test.each<[what: string, known: Partial<KnownAtBoot>, boot: string]>([
  ['a machine that nothing is known of', {}, 'worker'],
  ['one that a job was pushed to', { assignedJob: 'a' }, 'worker'],
  ['one that an image was deployed to', { system }, 'local-disk'],
  ['one that an image was deployed to, and a job pushed since', { system, assignedJob: 'a' }, 'worker'],
  ['one without a job that is set to boot its disk then', { hasWork: false }, 'local-disk'],
  ['one that a job was pushed to, though none else is there', { hasWork: false, assignedJob: 'a' }, 'worker'],
  ['one without a job that is not admitted either', { hasWork: false, isAdmitted: false }, 'local-disk'],
  ['one that is not admitted', { isAdmitted: false }, 'wait'],
  ['one that is not admitted, though a job was pushed to it', { isAdmitted: false, assignedJob: 'a' }, 'wait'],
  ['one that is not admitted and has a system', { isAdmitted: false, system }, 'local-disk'],
])('F6 %s boots as it should', (_, known, boot) => {
  expect(chooseBoot({ hasWork: true, isAdmitted: true, ...known })).toMatchObject({ boot })
})
