import { constants, zstdCompressSync } from 'node:zlib'
import { chunkSizeBytes } from '../../server/api/image.ts'

/**
 * How hard zstd tries: its default of 3, with shorter matches, a larger table for long ones and a smaller one for short ones: the cheapest at which chunks of
 * 2 MiB, each by itself, take less than the whole disk in one stream at that default. Measured on a fresh Debian 12: 233.8 MB, that stream of partclone
 * 234.5; one core takes 10 to 14 ms for a chunk. Chunks of 1 MiB needed level 6 for it, which takes twice as long in all.
 */
const effort = { [constants.ZSTD_c_compressionLevel]: 3, [constants.ZSTD_c_hashLog]: 18, [constants.ZSTD_c_chainLog]: 15, [constants.ZSTD_c_minMatch]: 4 }

/** What a frame may have more than its chunk, in bytes (zstd.h, `ZSTD_COMPRESSBOUND`), with some room. */
export const frameOverheadBytes = 16 * 1024

/**
 * One zstd frame (RFC 8878) of a chunk, its length in the frame's header. The same bytes always give the same frame with the pinned Node, so that
 * equal chunks of two builds have one digest: effort and size are set, nothing depends on how the output is cut, and no state is kept from one chunk to
 * the next, which would shift the matches that are found.
 */
export const compressChunk = (bytes: Buffer): Buffer<ArrayBuffer> =>
  zstdCompressSync(bytes, {
    // Large enough for the worst case, so that the frame is made in one call without growing, and has its memory for itself.
    chunkSize: chunkSizeBytes + frameOverheadBytes,
    pledgedSrcSize: bytes.length,
    params: { ...effort, [constants.ZSTD_c_contentSizeFlag]: 1 },
  })
