import { hash } from 'node:crypto'
import { zstdCompressSync } from 'node:zlib'
import { chunkSizeBytes, lengthAnnotation, offsetAnnotation, type ImageConfig, type ImageManifest } from '../../../server/api/image.ts'
import { mediaTypes } from '../../../server/api/media-types.ts'

const describe = (mediaType: string, bytes: Buffer) => ({ mediaType, digest: `sha256:${hash('sha256', bytes)}`, size: bytes.length })

/** A valid image of one chunk, the same each time: its blobs, and the manifest that is sent when they are there. */
export function tinyImage(): { blobs: readonly Buffer<ArrayBuffer>[]; manifest: Buffer<ArrayBuffer> } {
  const chunk = zstdCompressSync(Buffer.alloc(chunkSizeBytes, 7)) as Buffer<ArrayBuffer>
  const config: ImageConfig = {
    version: 1,
    diskSizeBytes: chunkSizeBytes,
    sectorBytes: 512,
    chunkSizeBytes,
    architecture: 'amd64',
    firmware: ['bios'],
    recipe: { name: 'r', digest: 'sha256:00' },
    job: 'job',
    machine: 'machine',
    partitions: [],
    packages: [],
    builtAt: '2026-11-24T12:00:00Z',
    workerVersion: '0.1.0',
  }
  const configBytes = Buffer.from(JSON.stringify(config))
  const manifest = {
    schemaVersion: 2,
    mediaType: mediaTypes.manifest,
    artifactType: mediaTypes.artifact,
    config: describe(mediaTypes.config, configBytes),
    layers: [{ ...describe(mediaTypes.chunk, chunk), annotations: { [offsetAnnotation]: '0', [lengthAnnotation]: String(chunkSizeBytes) } }],
  } as ImageManifest
  return { blobs: [configBytes, chunk], manifest: Buffer.from(JSON.stringify(manifest)) }
}
