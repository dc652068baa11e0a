import { promisify } from 'node:util'
import { constants, zstdCompress } from 'node:zlib'

const compress = promisify(zstdCompress)

/**
 * How hard zstd tries: level 6 with a shorter search, the cheapest at which chunks of 1 MiB, each by itself, take less than the whole disk in one
 * stream at zstd's own default of 3. Measured on a fresh Debian 12 of 803 chunks, MB and seconds of one core: level 3 241 and 1.9, 5 235 and 3.6,
 * this 230 and 4.5, 6 228 and 4.9, 7 227 and 5.1; one stream at level 3: 234.
 */
const effort = { [constants.ZSTD_c_compressionLevel]: 6, [constants.ZSTD_c_searchLog]: 2 }

/**
 * One zstd frame (RFC 8878) of a chunk, its length in the frame's header. The same bytes always give the same frame with the pinned Node, so that
 * equal chunks of two builds have one digest: effort and size are set, and nothing depends on threads or on how the output is cut.
 * Runs on libuv's threads, not on the main one.
 */
export const compressChunk = (bytes: Buffer): Promise<Buffer> =>
  compress(bytes, {
    // Large enough for the worst case, so that the frame is made in one call without growing.
    chunkSize: bytes.length + 16 * 1024,
    pledgedSrcSize: bytes.length,
    params: { ...effort, [constants.ZSTD_c_contentSizeFlag]: 1 },
  })
