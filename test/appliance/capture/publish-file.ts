import { hash } from 'node:crypto'
import type { FileHandle } from 'node:fs/promises'
import { planChunks } from '../../../appliance/capture/plan-chunks.ts'
import { sendChunks } from '../../../appliance/capture/send-chunks.ts'
import type { JobServer } from '../../../appliance/server-client.ts'
import { chunkSizeBytes } from '../../../server/api/image.ts'
import { mediaTypes } from '../../../server/api/media-types.ts'
import { sampleConfig } from '../../server/image-store/sample-image.ts'

/** Sends all of a file as the image of a disk without partitions, and publishes that. */
export async function publishFile(disk: FileHandle, server: JobServer): Promise<void> {
  const { signal } = new AbortController()
  const { size: sizeBytes } = await disk.stat()
  const chunks = planChunks([{ startBytes: 0, endBytes: sizeBytes }], sizeBytes, chunkSizeBytes)
  const { layers } = await sendChunks(disk, { chunks, patches: [] }, { server, image: 'debian-12', signal, onProgress: () => {} })
  const config = Buffer.from(JSON.stringify(sampleConfig({ diskSizeBytes: sizeBytes, chunkSizeBytes })))
  const digest = `sha256:${hash('sha256', config)}`
  await server.pushBlob('debian-12', digest, config, signal)
  const manifest = { schemaVersion: 2, mediaType: mediaTypes.manifest, artifactType: mediaTypes.artifact, config: { mediaType: mediaTypes.config, digest, size: config.length }, layers }
  await server.pushManifest('debian-12', Buffer.from(JSON.stringify(manifest)), signal)
}
