import { lengthAnnotation, offsetAnnotation, type ChunkDescriptor } from '../../server/api/image.ts'
import type { PlannedChunk } from '../capture/plan-chunks.ts'

/**
 * What of a disk that lies over an image must be read. A chunk that was never written to holds what the image has there: it is taken from the image as it is,
 * or is zero where the image has none. `changed` are the offsets of those that were written to.
 */
export function splitUnchanged(
  chunks: readonly PlannedChunk[],
  layers: readonly ChunkDescriptor[],
  changed: ReadonlySet<number>,
): { unchanged: ChunkDescriptor[]; chunks: PlannedChunk[] } {
  const inImage = new Map(layers.map((layer) => [Number(layer.annotations[offsetAnnotation]), layer]))
  /** On a larger disk the last chunk of the image is longer. */
  const isSame = ({ offsetBytes, lengthBytes }: PlannedChunk) => {
    const layer = inImage.get(offsetBytes)
    return !changed.has(offsetBytes) && (layer === undefined || Number(layer.annotations[lengthAnnotation]) === lengthBytes)
  }
  return {
    unchanged: chunks.filter(isSame).flatMap(({ offsetBytes }) => inImage.get(offsetBytes) ?? []),
    chunks: chunks.filter((chunk) => !isSame(chunk)),
  }
}
