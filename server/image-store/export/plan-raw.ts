import type { Image } from '../open-image-store.ts'
import { planLayers } from '../plan-layers.ts'
import { chunkPart, type ImageFile } from './image-file.ts'

/** The disk itself, byte for byte: each chunk at its place, zero everywhere else. */
export const planRaw = ({ manifest, config }: Image): ImageFile => ({
  sizeBytes: config.diskSizeBytes,
  parts: planLayers(manifest).map((layer) => chunkPart(layer.offsetBytes, layer)),
})
