import { lengthAnnotation, offsetAnnotation, type ImageConfig, type ImageManifest } from '../../server/api/image.ts'

/** A chunk of an image and where its bytes go on a disk. */
export interface PlacedChunk {
  digest: string
  /** Size of the compressed blob in bytes. */
  blobBytes: number
  offsetBytes: number
  lengthBytes: number
}

/**
 * Where each chunk of an image goes, in the order of the disk. The server made sure of all this when the image was published; nothing is written on
 * its word alone. Throws when a chunk lies outside the disk, is longer than chunks are, or lies over another.
 */
export function placeChunks(manifest: Pick<ImageManifest, 'layers'>, { diskSizeBytes, chunkSizeBytes }: Pick<ImageConfig, 'diskSizeBytes' | 'chunkSizeBytes'>): PlacedChunk[] {
  const chunks = manifest.layers
    .map(({ digest, size, annotations }) => ({
      digest,
      blobBytes: size,
      offsetBytes: Number(annotations[offsetAnnotation]),
      lengthBytes: Number(annotations[lengthAnnotation]),
    }))
    .sort((left, right) => left.offsetBytes - right.offsetBytes)
  let end = 0
  for (const { offsetBytes, lengthBytes } of chunks) {
    const fits = offsetBytes >= end && lengthBytes > 0 && lengthBytes <= chunkSizeBytes && offsetBytes + lengthBytes <= diskSizeBytes
    if (!fits) {
      const expected = `at most ${chunkSizeBytes} bytes from ${end} on, inside a disk of ${diskSizeBytes}`
      throw new Error(`image: expected a chunk of ${expected}, got ${lengthBytes} bytes at ${offsetBytes}`)
    }
    end = offsetBytes + lengthBytes
  }
  return chunks
}
