import { hash } from 'node:crypto'
import { promisify } from 'node:util'
import { zstdDecompress } from 'node:zlib'
import type { PlacedChunk } from './place-chunks.ts'

const decompress = promisify(zstdDecompress)

/**
 * The bytes of a chunk from its blob, which is one zstd frame (RFC 8878). Never more memory than the chunk declares, whatever the frame would give.
 * Runs on libuv's threads. Throws when the blob has another size or digest, or does not give the declared length.
 */
export async function expandChunk(blob: Uint8Array, { digest, blobBytes, offsetBytes, lengthBytes }: PlacedChunk): Promise<Buffer> {
  const wrong = (expected: string, got: string) => new Error(`chunk at ${offsetBytes}: expected ${expected}, got ${got}`)
  if (blob.byteLength !== blobBytes) throw wrong(`a blob of ${blobBytes} bytes`, String(blob.byteLength))
  const found = `sha256:${hash('sha256', blob)}`
  if (found !== digest) throw wrong(`the digest ${digest}`, found)
  const bytes = await decompress(blob, { maxOutputLength: lengthBytes, chunkSize: Math.max(lengthBytes, 1024) }).catch((error: NodeJS.ErrnoException) => {
    throw wrong(`a zstd frame of ${lengthBytes} bytes`, error.code === 'ERR_BUFFER_TOO_LARGE' ? 'a longer one' : error.message)
  })
  if (bytes.length !== lengthBytes) throw wrong(`a zstd frame of ${lengthBytes} bytes`, `one of ${bytes.length}`)
  return bytes
}
