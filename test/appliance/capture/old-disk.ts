import { randomBytes } from 'node:crypto'
import { open } from 'node:fs/promises'
import type { ByteRange } from '../../../appliance/capture/byte-range.ts'

const mib = 1024 * 1024

/** Makes a file as a disk that had been used for years: no block is zero. */
export async function makeOldDisk(path: string, sizeBytes: number): Promise<void> {
  const file = await open(path, 'wx')
  const old = randomBytes(mib)
  for (let position = 0; position < sizeBytes; position += mib) await file.write(old, 0, mib, position)
  await file.close()
}

/** Copies ranges of a file to a new one that is zero elsewhere. */
export async function copyRanges(from: string, to: string, ranges: readonly ByteRange[]): Promise<void> {
  const [source, target] = [await open(from, 'r'), await open(to, 'wx')]
  try {
    await target.truncate((await source.stat()).size)
    for (const { startBytes, endBytes } of ranges) {
      for (let at = startBytes; at < endBytes; at += mib) {
        const { buffer } = await source.read(Buffer.alloc(Math.min(mib, endBytes - at)), 0, Math.min(mib, endBytes - at), at)
        await target.write(buffer, 0, buffer.length, at)
      }
    }
  } finally {
    await source.close()
    await target.close()
  }
}
