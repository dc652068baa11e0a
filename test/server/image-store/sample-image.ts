import { hash } from 'node:crypto'
import { zstdCompressSync } from 'node:zlib'
import { chunkSizeBytes, lengthAnnotation, offsetAnnotation, type ImageConfig, type ImageManifest } from '../../../server/api/image.ts'
import { mediaTypes } from '../../../server/api/media-types.ts'
import type { ImageStore } from '../../../server/image-store/open-image-store.ts'

export const digestOf = (bytes: Uint8Array): string => `sha256:${hash('sha256', bytes)}`

export interface Chunk {
  offsetBytes: number
  /** What is compressed; its length is declared unless `lengthBytes` says otherwise. */
  bytes: Buffer
  lengthBytes?: number
  /** Sent in place of the compressed bytes. */
  blob?: Buffer
}

export const sampleConfig = (overrides: Partial<ImageConfig> = {}): ImageConfig => ({
  version: 1,
  diskSizeBytes: 4 * chunkSizeBytes,
  sectorBytes: 512,
  chunkSizeBytes,
  architecture: 'amd64',
  firmware: ['bios', 'uefi'],
  recipe: { name: 'debian-12', digest: 'sha256:00' },
  job: 'job-1',
  machine: '52-54-00-12-34-56',
  partitions: [],
  packages: [],
  builtAt: '2026-11-23T21:20:01.123Z',
  workerVersion: '0.1.0',
  ...overrides,
})

/** Puts the blobs of an image into a store and returns its manifest, ready to be published. */
export async function storeSample(store: ImageStore, chunks: readonly Chunk[], config = sampleConfig()): Promise<{ manifest: ImageManifest; bytes: Buffer<ArrayBuffer> }> {
  const configBytes = Buffer.from(JSON.stringify(config))
  await store.registry.blobs('x').write(digestOf(configBytes), [configBytes])
  const layers: ImageManifest['layers'] = []
  for (const { offsetBytes, bytes, lengthBytes = bytes.length, blob = zstdCompressSync(bytes) } of chunks) {
    await store.registry.blobs('x').write(digestOf(blob), [blob])
    const annotations = { [offsetAnnotation]: String(offsetBytes), [lengthAnnotation]: String(lengthBytes) }
    layers.push({ mediaType: mediaTypes.chunk, digest: digestOf(blob), size: blob.length, annotations })
  }
  const manifest: ImageManifest = {
    schemaVersion: 2,
    mediaType: mediaTypes.manifest,
    artifactType: mediaTypes.artifact,
    config: { mediaType: mediaTypes.config, digest: digestOf(configBytes), size: configBytes.length },
    layers,
  }
  return { manifest, bytes: Buffer.from(JSON.stringify(manifest)) }
}

/** A chunk full of one byte. */
export const filled = (offsetBytes: number, value: number): Chunk => ({ offsetBytes, bytes: Buffer.alloc(chunkSizeBytes, value) })
