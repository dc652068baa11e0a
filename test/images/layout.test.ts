import fc from 'fast-check'
import { expect, test } from 'vitest'
import { deriveUuid, planLayout } from '../../images/layout.ts'
import type { RecipePartition } from '../../images/recipe.ts'
import { mebibyte } from '../../images/size.ts'

const gibibyte = 1024 * mebibyte
const root = (size: string): RecipePartition => ({ name: 'root', type: 'linux-root', filesystem: 'ext4', mount: '/', size })

test('the rest of the disk ends where the backup GPT begins', () => {
  const layout = planLayout('debian-12', 4 * gibibyte, [{ name: 'bios', type: 'bios-boot', size: '1MiB' }, root('rest')])
  expect(layout).toMatchObject({
    partitions: [
      { startBytes: mebibyte, sizeBytes: mebibyte },
      { startBytes: 2 * mebibyte, sizeBytes: 4 * gibibyte - 3 * mebibyte },
    ],
  })
})

test('a percentage is of what lies between the two partition tables, in whole MiB', () => {
  const layout = planLayout('debian-12', 1001 * mebibyte, [root('25%')])
  expect(layout).toMatchObject({ partitions: [{ sizeBytes: 249 * mebibyte }] })
})

test('two layouts of one name are equal, and those of two names share no identifier', () => {
  const identifiers = (name: string) => {
    const layout = planLayout(name, gibibyte, [root('rest')])
    if ('expected' in layout) throw new Error(layout.expected)
    return [layout.diskGuid, ...layout.partitions.flatMap(({ partitionGuid, filesystemUuid }) => [partitionGuid, filesystemUuid])]
  }
  expect(identifiers('a')).toEqual(identifiers('a'))
  expect(new Set([...identifiers('a'), ...identifiers('b')]).size).toBe(6)
})

test('a derived UUID is of version 8 and of the RFC 9562 variant', () => {
  expect(deriveUuid('debian-12/root')).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
})

test('a share of less than 1 MiB is refused', () => {
  expect(planLayout('small', 10 * mebibyte, [root('1%')])).toEqual({ partition: 0, expected: 'at least 1MiB', got: '1% of 8 MiB' })
})

test('whatever the sizes, partitions are aligned, in order, apart and within the disk, or the layout is refused', () => {
  const size = fc.oneof(
    fc.constant('rest'),
    fc.integer({ min: 1, max: 100 }).map((share) => `${share}%`),
    fc.integer({ min: 1, max: 4000 }).map((count) => `${count}MiB`),
  )
  fc.assert(
    fc.property(fc.array(size, { minLength: 1, maxLength: 6 }), fc.integer({ min: 8, max: 8000 }), (sizes, diskMebibytes) => {
      const partitions = sizes.map((text, index) => ({ ...root(text), name: `p${index}` }))
      const layout = planLayout('any', diskMebibytes * mebibyte, partitions)
      if ('expected' in layout) return
      let endBytes = mebibyte
      for (const { startBytes, sizeBytes } of layout.partitions) {
        expect(startBytes).toBe(endBytes)
        expect(sizeBytes).toBeGreaterThanOrEqual(mebibyte)
        expect(sizeBytes % mebibyte).toBe(0)
        endBytes = startBytes + sizeBytes
      }
      expect(endBytes).toBeLessThanOrEqual((diskMebibytes - 1) * mebibyte)
    }),
  )
})
