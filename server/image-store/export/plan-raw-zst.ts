import type { Image } from '../open-image-store.ts'
import { planLayers } from '../plan-layers.ts'
import { blobPart, computedPart, whatChunk, type FilePart, type ImageFile } from './image-file.ts'
import { zeroFrame, zeroFrameBytes } from './zero-frame.ts'

/** Most zeros in one frame, in bytes: the largest frame of the seekable format. They unpack as fast as memory is cleared. */
const maxGapBytes = 1024 * 1024 * 1024

interface Frame {
  unpackedBytes: number
  part: FilePart
}

/**
 * The disk as zstd (RFC 8878): the stored chunks as they are, a frame of zeros for each gap between them, and at the end the table of the Zstandard
 * seekable format 0.1.0, by which some tools find their way in it; all others skip it. Nothing is unpacked or packed for it.
 */
export function planRawZst({ manifest, config }: Image): ImageFile {
  const frames: Frame[] = []
  let endBytes = 0
  let diskBytes = 0
  const add = (part: FilePart, unpackedBytes: number) => {
    frames.push({ unpackedBytes, part })
    endBytes += part.lengthBytes
    diskBytes += unpackedBytes
  }
  const addZerosUntil = (offsetBytes: number) => {
    while (diskBytes < offsetBytes) {
      const lengthBytes = Math.min(offsetBytes - diskBytes, maxGapBytes)
      add(computedPart(endBytes, zeroFrameBytes(lengthBytes), () => zeroFrame(lengthBytes)), lengthBytes)
    }
  }
  for (const layer of planLayers(manifest)) {
    addZerosUntil(layer.offsetBytes)
    add(blobPart(endBytes, { digest: layer.digest, sizeBytes: layer.blobBytes, what: whatChunk(layer) }), layer.lengthBytes)
  }
  addZerosUntil(config.diskSizeBytes)
  const table = computedPart(endBytes, 8 + frames.length * 8 + 9, () => renderSeekTable(frames))
  return { sizeBytes: endBytes + table.lengthBytes, parts: [...frames.map(({ part }) => part), table] }
}

/** The seek table (zstd, contrib/seekable_format/zstd_seekable_compression_format.md): a skippable frame with the two sizes of each frame. */
function renderSeekTable(frames: readonly Frame[]): Buffer {
  const table = Buffer.alloc(8 + frames.length * 8 + 9)
  table.writeUInt32LE(0x184d2a5e, 0)
  table.writeUInt32LE(table.length - 8, 4)
  for (const [index, { part, unpackedBytes }] of frames.entries()) {
    table.writeUInt32LE(part.lengthBytes, 8 + index * 8)
    table.writeUInt32LE(unpackedBytes, 12 + index * 8)
  }
  const footer = 8 + frames.length * 8
  table.writeUInt32LE(frames.length, footer)
  // The descriptor stays 0: no checksums, each chunk has its digest.
  table.writeUInt32LE(0x8f92eab1, footer + 5)
  return table
}
