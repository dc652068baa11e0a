/** Largest block of a zstd frame, in bytes (RFC 8878, 3.1.1.2.4). */
const maxBlockBytes = 128 * 1024

const blocksOf = (lengthBytes: number): number => Math.ceil(lengthBytes / maxBlockBytes)

/** Size of the frame below. */
export const zeroFrameBytes = (lengthBytes: number): number => 14 + blocksOf(lengthBytes) * 4

/**
 * One zstd frame that unpacks to zeros (RFC 8878, 3.1.1): nothing but RLE blocks, 4 bytes for each 128 KiB. Written by hand, because what a library
 * makes of zeros may change with its version, and a file that is fetched in parts must not.
 */
export function zeroFrame(lengthBytes: number): Buffer {
  const blocks = blocksOf(lengthBytes)
  const frame = Buffer.alloc(zeroFrameBytes(lengthBytes))
  frame.writeUInt32LE(0xfd2fb528, 0)
  // The content size follows in 8 bytes; no checksum, no dictionary.
  frame[4] = 0b11_00_0000
  // A window of one block: 2^(10 + 7) bytes.
  frame[5] = 7 << 3
  frame.writeBigUInt64LE(BigInt(lengthBytes), 6)
  for (let block = 0; block < blocks; block++) {
    const isLast = block === blocks - 1
    const sizeBytes = isLast ? lengthBytes - block * maxBlockBytes : maxBlockBytes
    // Block_Header: Last_Block, Block_Type 1 (RLE), Block_Size. The byte that is repeated is the zero after it.
    frame.writeUIntLE((sizeBytes << 3) | (1 << 1) | (isLast ? 1 : 0), 14 + block * 4, 3)
  }
  return frame
}
