import { lengthAnnotation, offsetAnnotation, type ImageConfig, type ImageManifest } from '../api/image.ts'
import { IngotError } from '../errors.ts'
import { maxBlobBytes } from './blob-store.ts'

/** A chunk of an image: the blob and where its bytes go. */
export interface Layer {
  digest: string
  /** Size of the blob in bytes. */
  blobBytes: number
  offsetBytes: number
  lengthBytes: number
}

/** Where each chunk of an image goes on the disk, in the order of the disk. The manifest fits its schema. */
export const planLayers = (manifest: ImageManifest): Layer[] =>
  manifest.layers.map(({ digest, size, annotations }) => ({
    digest,
    blobBytes: size,
    offsetBytes: Number(annotations[offsetAnnotation]),
    lengthBytes: Number(annotations[lengthAnnotation]),
  }))

/**
 * Makes sure that the chunks of an image fit the disk that its config declares: each aligned, whole, inside the disk, in order and none over another.
 * Throws `IngotError` `image-invalid` naming every chunk that does not.
 */
export function checkLayers(layers: readonly Layer[], config: ImageConfig): void {
  const { diskSizeBytes, chunkSizeBytes } = config
  const problems: string[] = []
  if (chunkSizeBytes > maxBlobBytes) problems.push(`config chunkSizeBytes: expected at most ${maxBlobBytes}, got ${chunkSizeBytes}`)
  let end = 0
  for (const [index, { offsetBytes, lengthBytes }] of layers.entries()) {
    const say = (expected: string, got: number) => problems.push(`layers[${index}]: expected ${expected}, got ${got}`)
    const wholeBytes = Math.min(chunkSizeBytes, diskSizeBytes - offsetBytes)
    if (offsetBytes % chunkSizeBytes !== 0) say(`an offset that is a multiple of ${chunkSizeBytes}`, offsetBytes)
    else if (offsetBytes >= diskSizeBytes) say(`an offset inside the disk of ${diskSizeBytes} bytes`, offsetBytes)
    else if (offsetBytes < end) say(`an offset of at least ${end}, where the chunk before it ends`, offsetBytes)
    else if (lengthBytes !== wholeBytes) say(`a length of ${wholeBytes}`, lengthBytes)
    end = Math.max(end, offsetBytes + lengthBytes)
  }
  if (problems.length > 0) throw new IngotError('image-invalid', `manifest: ${problems[0]}`, { problems })
}
