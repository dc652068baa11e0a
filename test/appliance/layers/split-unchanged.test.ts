import { expect, test } from 'vitest'
import { planChunks } from '../../../appliance/capture/plan-chunks.ts'
import { splitUnchanged } from '../../../appliance/layers/split-unchanged.ts'
import { chunkSizeBytes, lengthAnnotation, offsetAnnotation, type ChunkDescriptor } from '../../../server/api/image.ts'

const at = (number: number) => number * chunkSizeBytes
const layer = (number: number, lengthBytes = chunkSizeBytes): ChunkDescriptor => ({
  mediaType: 'application/vnd.ingot.disk.chunk.v1+zstd',
  digest: `sha256:${String(number).repeat(64)}`,
  size: 1,
  annotations: { [offsetAnnotation]: String(at(number)), [lengthAnnotation]: String(lengthBytes) },
})
const used = (...numbers: number[]) => planChunks(numbers.map((number) => ({ startBytes: at(number), endBytes: at(number) + 4096 })), at(10), chunkSizeBytes)

test('what was not written to comes from the image, what was is read, and what is no longer used goes', () => {
  const { unchanged, chunks } = splitUnchanged(used(0, 1, 3), [layer(0), layer(1), layer(2)], new Set([at(1), at(3)]))
  expect(unchanged).toEqual([layer(0)])
  expect(chunks).toEqual(used(1, 3))
})

test('where the image holds nothing and nothing was written, the disk is zero', () => {
  expect(splitUnchanged(used(4), [layer(0)], new Set())).toEqual({ unchanged: [], chunks: [] })
})

test('the last chunk of the image is read anew where the disk goes on behind it', () => {
  expect(splitUnchanged(used(2), [layer(2, 512)], new Set())).toEqual({ unchanged: [], chunks: used(2) })
})
