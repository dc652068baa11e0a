import { zstdCompressSync } from 'node:zlib'
import { lengthAnnotation, offsetAnnotation, type ImageManifest } from '../../../server/api/image.ts'
import { mediaTypes } from '../../../server/api/media-types.ts'
import { digestOf, filled, sampleConfig } from '../../server/image-store/sample-image.ts'

/** The blobs of an image of one chunk, and its manifest. */
export function sampleUpload(): { blobs: Buffer[]; bytes: Buffer } {
  const config = Buffer.from(JSON.stringify(sampleConfig()))
  const { bytes } = filled(0, 1)
  const chunk = zstdCompressSync(bytes)
  const manifest: ImageManifest = {
    schemaVersion: 2,
    mediaType: mediaTypes.manifest,
    artifactType: mediaTypes.artifact,
    config: { mediaType: mediaTypes.config, digest: digestOf(config), size: config.length },
    layers: [{ mediaType: mediaTypes.chunk, digest: digestOf(chunk), size: chunk.length, annotations: { [offsetAnnotation]: '0', [lengthAnnotation]: String(bytes.length) } }],
  }
  return { blobs: [config, chunk], bytes: Buffer.from(JSON.stringify(manifest)) }
}
