import { expect, test } from 'vitest'
import type { Recipe } from '../../../images/recipe.ts'
import { resolveBase } from '../../../server/components/resolve-base.ts'
import { IngotError } from '../../../server/errors.ts'
import type { Image } from '../../../server/image-store/open-image-store.ts'
import { sampleConfig } from '../image-store/sample-image.ts'

const gib = 1024 ** 3
const config = sampleConfig({
  diskSizeBytes: 4 * gib,
  firmware: ['bios'],
  partitions: [{ name: 'root', typeGuid: '', startBytes: 1048576, sizeBytes: 3 * gib, filesystem: 'ext4', mountPoint: '/' }],
})
const asked: (string | undefined)[] = []
const images = {
  async resolve(name: string, reference?: string): Promise<Image> {
    asked.push(reference)
    if (name !== 'debian-12') throw new IngotError('image-unknown', `no image ${name} has been published`)
    return { name, version: 'web-1', digest: 'sha256:11', manifestBytes: 1, publishedAt: '', manifest: {} as Image['manifest'], config }
  },
}
const recipe = (more: Partial<Recipe> = {}): Recipe => ({
  ...{ name: 'web', description: 'a page', architecture: 'amd64', firmware: ['bios'], from: 'debian-12', disk: { size: '4GiB' }, image: { name: 'web' } },
  ...more,
})

test('a recipe starts from the newest version, from the one that it names, or from the one that was meant when the job was made', async () => {
  expect(await resolveBase(recipe(), images)).toEqual({ image: 'debian-12', version: 'web-1', digest: 'sha256:11' })
  await resolveBase(recipe({ from: 'debian-12:web-0' }), images)
  await resolveBase(recipe(), images, 'sha256:11')
  expect(asked.splice(0)).toEqual([undefined, 'web-0', 'sha256:11'])
})

test('a recipe with partitions of its own starts from none', async () => {
  const { from: _, ...whole } = recipe()
  expect(await resolveBase(whole, images)).toBeUndefined()
})

test('an image that was never published is not known', async () => {
  await expect(resolveBase(recipe({ from: 'debian-13' }), images)).rejects.toMatchObject({ code: 'image-unknown' })
})

test('all that does not go together with the image is told at once', async () => {
  await expect(resolveBase(recipe({ firmware: ['bios', 'uefi'], disk: { size: '2GiB' } }), images)).rejects.toMatchObject({
    code: 'recipe-invalid',
    problems: [
      'firmware: expected bios, which the image boots with, or a bootloader step, got uefi',
      'disk.size: expected at least 4 GiB, which the image has, got 2 GiB',
    ],
  })
})
