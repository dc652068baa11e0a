import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { open } from 'node:fs/promises'
import { IngotError } from '../errors.ts'

/** The digest and the size of what a stream gives, which passes through `take` piece by piece. */
export async function hashStream(
  content: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  take: (piece: Uint8Array) => Promise<void> | void = () => {},
): Promise<{ digest: string; sizeBytes: number }> {
  const hash = createHash('sha256')
  let sizeBytes = 0
  for await (const piece of content) {
    sizeBytes += piece.length
    hash.update(piece)
    await take(piece)
  }
  return { digest: `sha256:${hash.digest('hex')}`, sizeBytes }
}

/** The digest and the size of a file, read through. */
export const hashFile = (path: string): Promise<{ digest: string; sizeBytes: number }> => hashStream(createReadStream(path, { highWaterMark: 1024 * 1024 }))

/** So much comes together before it is written: a write is a way to another thread and back. */
const gatherBytes = 1024 * 1024

/** Writes a new file, flushed, of exactly the bytes that have a digest, and returns its size. Throws as `BlobStore.write` does; the file stays. */
export async function writeHashed(
  path: string,
  digest: string,
  content: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  maxBytes: number,
): Promise<number> {
  const file = await open(path, 'wx')
  try {
    let sizeBytes = 0
    let gathered: Uint8Array[] = []
    let gatheredBytes = 0
    const writeGathered = async () => {
      const { bytesWritten } = await file.writev(gathered)
      if (bytesWritten < gatheredBytes) await file.writeFile(Buffer.concat(gathered).subarray(bytesWritten))
      gathered = []
      gatheredBytes = 0
    }
    const got = await hashStream(content, (piece) => {
      sizeBytes += piece.length
      if (sizeBytes > maxBytes) throw new IngotError('blob-too-large', `blob: expected at most ${maxBytes} bytes, got more`)
      gathered.push(piece)
      gatheredBytes += piece.length
      return gatheredBytes < gatherBytes ? undefined : writeGathered()
    })
    requireDigest(digest, got)
    await writeGathered()
    await file.sync()
    return got.sizeBytes
  } finally {
    await file.close()
  }
}

/** Throws `IngotError` 'blob-refused' unless what was received is what was announced. */
export function requireDigest(digest: string, got: { digest: string; sizeBytes: number }): void {
  if (got.digest !== digest) throw new IngotError('blob-refused', `blob: expected the digest ${digest}, got ${got.digest} of ${got.sizeBytes} bytes`)
}
