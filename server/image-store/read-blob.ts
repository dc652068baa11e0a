import { promisify } from 'node:util'
import { zstdDecompress, type ZstdOptions } from 'node:zlib'
import { IngotError } from '../errors.ts'
import { maxBlobBytes, type BlobStore } from './blob-store.ts'
import { digestOf } from './digest.ts'
import { hashStream } from './hash-file.ts'
import type { Layer } from './plan-layers.ts'

/**
 * Reads a blob, which is held whole, and makes sure that it has its size and its digest.
 * Throws `IngotError`: `blob-unknown` when it is missing, `image-invalid` when its size is another than declared or beyond `maxBlobBytes`, and
 * `image-corrupt` when what is stored no longer has its digest; then the blob is put aside, so that nothing counts it as present.
 */
export async function readBlob(blobs: BlobStore, digest: string, sizeBytes: number): Promise<Buffer> {
  const invalid = (expected: string, got: number) => new IngotError('image-invalid', `blob ${digest}: expected ${expected}, got ${got}`)
  if (sizeBytes > maxBlobBytes) throw invalid(`at most ${maxBlobBytes} bytes`, sizeBytes)
  const stored = await blobs.size(digest)
  if (stored !== undefined && stored !== sizeBytes) {
    // A wrong size is the manifest's fault only if the blob is sound; a cut blob is found by its digest.
    await requireSound(blobs, digest, (await hashStream(await blobs.read(digest))).digest)
    throw invalid(`the declared size ${sizeBytes}`, stored)
  }
  const bytes = await blobs.bytes(digest)
  await requireSound(blobs, digest, digestOf(bytes))
  return bytes
}

async function requireSound(blobs: BlobStore, digest: string, got: string): Promise<void> {
  if (got === digest) return
  await blobs.quarantine(digest)
  throw new IngotError('image-corrupt', `blob ${digest}: what was stored reads back as ${got}; it was put aside, send it again`)
}

const decompress = promisify(
  (bytes: Buffer, options: ZstdOptions, callback: (error: Error | null, result: { buffer: Buffer; engine: { bytesWritten: number } }) => void) =>
    // With `info` the result tells how much of the input was used; the types of Node 26 do not know that yet.
    zstdDecompress(bytes, { ...options, info: true }, callback as never),
)

/**
 * The bytes of a chunk, read back from the store: its blob has its size and its digest, is zstd from the first byte to the last, and gives exactly
 * the declared length.
 * Throws as `readBlob` does, and `image-invalid` when the frame is not what the manifest declares.
 */
export async function readLayer(blobs: BlobStore, layer: Layer): Promise<Buffer> {
  const blob = await readBlob(blobs, layer.digest, layer.blobBytes)
  const invalid = (got: string, cause?: unknown) =>
    new IngotError('image-invalid', `chunk at ${layer.offsetBytes}: expected a zstd frame of ${layer.lengthBytes} bytes, got ${got}`, { cause })
  // Never more than was declared, whatever the frame would give; room for all of it at once, in memory that it shares with nothing, and for one byte more:
  // otherwise zlib sees only in a second go, with as much memory again, that this was the end.
  const limits = { maxOutputLength: layer.lengthBytes, chunkSize: Math.max(layer.lengthBytes + 1, Buffer.poolSize) }
  const result = await decompress(blob, limits).catch((error: Error) => {
    throw invalid((error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE' ? 'a longer one' : error.message, error)
  })
  if (result.buffer.length !== layer.lengthBytes) throw invalid(`one of ${result.buffer.length}`)
  if (result.engine.bytesWritten !== blob.length) throw invalid(`${blob.length - result.engine.bytesWritten} bytes after it`)
  return result.buffer
}

/** As `readLayer`, for who only needs to know. */
export async function checkLayer(blobs: BlobStore, layer: Layer): Promise<void> {
  const { buffer } = await readLayer(blobs, layer)
  // Gives its memory back now: V8 would let many of them come together, and then look through all that the server holds.
  ;(buffer as ArrayBuffer).transfer(0)
}
