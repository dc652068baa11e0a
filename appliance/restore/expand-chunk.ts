import { hash } from 'node:crypto'
import { promisify } from 'node:util'
import { zstdDecompress, zstdDecompressSync, type ZstdOptions } from 'node:zlib'
import type { PlacedChunk } from './place-chunks.ts'

const decompress = promisify(zstdDecompress)

/**
 * The bytes of a chunk from its blob, which is one zstd frame (RFC 8878). Never more memory than the chunk declares, whatever the frame would give.
 * Runs on libuv's threads. Throws when the blob has another size or digest, or does not give the declared length.
 */
export async function expandChunk(blob: Uint8Array, chunk: PlacedChunk): Promise<Buffer> {
  const result = await decompress(verified(blob, chunk), limitsOf(chunk)).catch((error: Error) => error)
  return expanded(result, chunk)
}

/** The same, for a thread that has nothing else to do. */
export function expandChunkSync(blob: Uint8Array, chunk: PlacedChunk): Buffer {
  const input = verified(blob, chunk)
  let result: Buffer | Error
  try {
    result = zstdDecompressSync(input, limitsOf(chunk))
  } catch (error) {
    result = error as Error
  }
  return expanded(result, chunk)
}

const wrong = ({ offsetBytes }: PlacedChunk, expected: string, got: string) => new Error(`chunk at ${offsetBytes}: expected ${expected}, got ${got}`)

function verified(blob: Uint8Array, chunk: PlacedChunk): Uint8Array {
  if (blob.byteLength !== chunk.blobBytes) throw wrong(chunk, `a blob of ${chunk.blobBytes} bytes`, String(blob.byteLength))
  const found = `sha256:${hash('sha256', blob)}`
  if (found !== chunk.digest) throw wrong(chunk, `the digest ${chunk.digest}`, found)
  return blob
}

/** With room for one byte more than there may be, zlib sees the end without asking for as much memory again. */
const limitsOf = ({ lengthBytes }: PlacedChunk): ZstdOptions => ({ maxOutputLength: lengthBytes, chunkSize: Math.max(lengthBytes + 1, 1024) })

function expanded(result: Buffer | NodeJS.ErrnoException, chunk: PlacedChunk): Buffer {
  const expected = `a zstd frame of ${chunk.lengthBytes} bytes`
  if (result instanceof Error) throw wrong(chunk, expected, result.code === 'ERR_BUFFER_TOO_LARGE' ? 'a longer one' : result.message)
  if (result.length !== chunk.lengthBytes) throw wrong(chunk, expected, `one of ${result.length}`)
  return result
}
