import { hash } from 'node:crypto'
import { zstdCompressSync } from 'node:zlib'
import { lengthAnnotation, offsetAnnotation, type ImageConfig, type ImageManifest } from '../../../server/api/image.ts'
import { mediaTypes } from '../../../server/api/media-types.ts'
import type { ImageStore } from '../../../server/image-store/open-image-store.ts'

/** That of the samples: an image says its own, which need not be that of our worker. */
export const chunkSizeBytes = 1024 * 1024

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

export interface SampleImage {
  manifest: ImageManifest
  /** Of the manifest, ready to be published. */
  bytes: Buffer<ArrayBuffer>
  /** All that the manifest names. */
  blobs: Buffer<ArrayBuffer>[]
}

/** An image of these chunks. */
export function makeSample(chunks: readonly Chunk[], config = sampleConfig()): SampleImage {
  const configBytes = Buffer.from(JSON.stringify(config))
  const blobs = [configBytes]
  const layers = chunks.map(({ offsetBytes, bytes, lengthBytes = bytes.length, blob = zstdCompressSync(bytes) }): ImageManifest['layers'][number] => {
    blobs.push(Buffer.from(blob))
    const annotations = { [offsetAnnotation]: String(offsetBytes), [lengthAnnotation]: String(lengthBytes) }
    return { mediaType: mediaTypes.chunk, digest: digestOf(blob), size: blob.length, annotations }
  })
  const manifest: ImageManifest = {
    schemaVersion: 2,
    mediaType: mediaTypes.manifest,
    artifactType: mediaTypes.artifact,
    config: { mediaType: mediaTypes.config, digest: digestOf(configBytes), size: configBytes.length },
    layers,
  }
  return { manifest, bytes: Buffer.from(JSON.stringify(manifest)), blobs }
}

/** Puts the blobs of an image into a store, under a name where that matters, and returns the image. */
export async function storeSample(store: ImageStore, chunks: readonly Chunk[], config = sampleConfig(), name = 'debian-12'): Promise<SampleImage> {
  const image = makeSample(chunks, config)
  for (const blob of image.blobs) await store.registry.blobs(name).write(digestOf(blob), [blob])
  return image
}

/** A chunk full of one byte. */
export const filled = (offsetBytes: number, value: number): Chunk => ({ offsetBytes, bytes: Buffer.alloc(chunkSizeBytes, value) })
