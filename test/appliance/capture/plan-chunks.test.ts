import fc from 'fast-check'
import { expect, test } from 'vitest'
import { planChunks } from '../../../appliance/capture/plan-chunks.ts'

const diskBytes = 1000
const chunkBytes = 64
const rangesArbitrary = fc.array(
  fc.tuple(fc.nat(1100), fc.nat(200)).map(([startBytes, length]) => ({ startBytes, endBytes: startBytes + length })),
  { maxLength: 12 },
)
const bytesOf = (ranges: readonly { startBytes: number; endBytes: number }[]) =>
  new Set(ranges.flatMap(({ startBytes, endBytes }) => Array.from({ length: endBytes - startBytes }, (_, index) => startBytes + index)))

test('chunks hold exactly the used bytes of the disk, each once, aligned and in order', () => {
  fc.assert(
    fc.property(rangesArbitrary, (ranges) => {
      const chunks = planChunks(ranges, diskBytes, chunkBytes)
      const pieces = chunks.flatMap(({ used }) => used)
      expect(bytesOf(pieces)).toEqual(new Set([...bytesOf(ranges)].filter((byte) => byte < diskBytes).sort((left, right) => left - right)))
      expect(pieces.reduce((sum, { startBytes, endBytes }) => sum + endBytes - startBytes, 0)).toBe(bytesOf(pieces).size)
      expect(chunks.map(({ offsetBytes }) => offsetBytes)).toEqual([...new Set(chunks.map(({ offsetBytes }) => offsetBytes))].sort((left, right) => left - right))
      for (const { offsetBytes, lengthBytes, used } of chunks) {
        expect(offsetBytes % chunkBytes).toBe(0)
        expect(lengthBytes).toBe(Math.min(chunkBytes, diskBytes - offsetBytes))
        for (const { startBytes, endBytes } of used) expect(startBytes >= offsetBytes && endBytes <= offsetBytes + lengthBytes).toBe(true)
      }
    }),
  )
})
