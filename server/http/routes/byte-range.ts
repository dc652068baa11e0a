import type { BlobRange } from '../../image-store/blob-store.ts'

/**
 * What a `Range` header (RFC 9110, 14.2) asks for of `sizeBytes` bytes. `undefined` means all of it: there is no header, or one of a kind that a server
 * may leave unheeded, as several ranges at once. `unsatisfiable` is to be answered with 416.
 */
export function parseByteRange(header: string | undefined, sizeBytes: number): BlobRange | 'unsatisfiable' | undefined {
  const match = /^bytes=(\d*)-(\d*)$/.exec(header?.trim() ?? '')
  if (match === null) return undefined
  const [first, last] = [match[1]!, match[2]!]
  if (first === '' && last === '') return undefined
  // `-500` is the last 500 bytes.
  const range =
    first === ''
      ? { first: Math.max(0, sizeBytes - Number(last)), last: sizeBytes - 1 }
      : { first: Number(first), last: last === '' ? sizeBytes - 1 : Math.min(Number(last), sizeBytes - 1) }
  if (first !== '' && last !== '' && Number(last) < Number(first)) return undefined
  return range.first > range.last ? 'unsatisfiable' : range
}
