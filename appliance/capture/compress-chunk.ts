import { promisify } from 'node:util'
import { constants, zstdCompress } from 'node:zlib'

const compress = promisify(zstdCompress)

/** zstd level of chunks. */
export const compressionLevel = 3

/**
 * One zstd frame (RFC 8878) of a chunk, its length in the frame's header. The same bytes always give the same frame with the pinned Node, so that
 * equal chunks of two builds have one digest: level and size are set, and nothing depends on threads or on how the output is cut.
 * Runs on libuv's threads, not on the main one.
 */
export const compressChunk = (bytes: Buffer): Promise<Buffer> =>
  compress(bytes, {
    // Large enough for the worst case, so that the frame is made in one call without growing.
    chunkSize: bytes.length + 16 * 1024,
    pledgedSrcSize: bytes.length,
    params: { [constants.ZSTD_c_compressionLevel]: compressionLevel, [constants.ZSTD_c_contentSizeFlag]: 1 },
  })
