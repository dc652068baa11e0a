import { expect, test } from 'vitest'
import { chooseBoot, type KnownAtBoot } from '../../boot/choose-boot.ts'

const system = { image: 'web', version: 'web-1' }

test.each<[what: string, known: KnownAtBoot, boot: string]>([
  ['a machine that nothing is known of', {}, 'worker'],
  ['one that a job was pushed to', { assignedJob: 'a' }, 'worker'],
  ['one that an image was deployed to', { system }, 'local-disk'],
  ['one that an image was deployed to, and a job pushed since', { system, assignedJob: 'a' }, 'worker'],
])('F6 %s boots as it should', (_, known, boot) => {
  expect(chooseBoot(known)).toMatchObject({ boot })
})
