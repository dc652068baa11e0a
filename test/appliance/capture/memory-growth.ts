/*
 * Sends a disk of random bytes through a real server in this one process, publishes and exports it, and prints by how many MiB the most memory that the
 * process ever had exceeds what it had at the start. Run by a test, in a process of its own: node memory-growth.ts SIZE_MIB
 */
import { hash, randomBytes } from 'node:crypto'
import { mkdtemp, open, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { planChunks } from '../../../appliance/capture/plan-chunks.ts'
import { sendChunks } from '../../../appliance/capture/send-chunks.ts'
import { chunkSizeBytes } from '../../../server/api/image.ts'
import { mediaTypes } from '../../../server/api/media-types.ts'
import { exportRaw } from '../../../server/image-store/export-raw.ts'
import { startImageServer } from '../../server/image-store/image-server.ts'
import { sampleConfig } from '../../server/image-store/sample-image.ts'
import { claimAt } from './step-context.ts'

const sizeBytes = Number(process.argv[2]) * chunkSizeBytes
const folder = await mkdtemp(join(tmpdir(), 'ingot-memory-'))
const server = await startImageServer()
try {
  const disk = await open(join(folder, 'disk.raw'), 'wx+')
  const bytes = randomBytes(chunkSizeBytes)
  for (let position = 0; position < sizeBytes; position += chunkSizeBytes) {
    bytes.writeBigUInt64LE(BigInt(position))
    await disk.write(bytes, 0, chunkSizeBytes, position)
  }
  const before = process.memoryUsage.rss()
  const job = claimAt(server.url)
  const { signal } = new AbortController()
  const chunks = planChunks([{ startBytes: 0, endBytes: sizeBytes }], sizeBytes, chunkSizeBytes)
  const { layers } = await sendChunks(disk, { chunks, patches: [] }, { server: job, image: 'x', signal, onProgress: () => {} })
  const config = Buffer.from(JSON.stringify(sampleConfig({ diskSizeBytes: sizeBytes })))
  const configDigest = `sha256:${hash('sha256', config)}`
  await job.pushBlob('x', configDigest, config, signal)
  const manifest = {
    schemaVersion: 2,
    mediaType: mediaTypes.manifest,
    artifactType: mediaTypes.artifact,
    config: { mediaType: mediaTypes.config, digest: configDigest, size: config.length },
    layers,
  }
  await job.pushManifest('x', Buffer.from(JSON.stringify(manifest)), signal)
  await exportRaw(server.store, 'x', join(folder, 'out.raw'))
  await disk.close()
  process.stdout.write(String(Math.round((process.resourceUsage().maxRSS * 1024 - before) / chunkSizeBytes)))
} finally {
  await server.close()
  await rm(folder, { recursive: true })
}
