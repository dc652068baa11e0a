/*
 * Sends a disk of random bytes through a real server in this one process, publishes and exports it, and prints by how many MiB the most memory that the
 * process ever had exceeds what it had at the start. Run by a test, in a process of its own: node memory-growth.ts SIZE_MIB
 */
import { randomBytes } from 'node:crypto'
import { mkdtemp, open, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { chunkSizeBytes } from '../../../server/api/image.ts'
import { exportRaw } from '../../../server/image-store/export-raw.ts'
import { startImageServer } from '../../server/image-store/image-server.ts'
import { publishFile } from './publish-file.ts'
import { claimAt } from './step-context.ts'

const mib = 1024 * 1024
const sizeBytes = Number(process.argv[2]) * mib
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
  await publishFile(disk, claimAt(server.url))
  await exportRaw(server.store, 'debian-12', join(folder, 'out.raw'))
  await disk.close()
  process.stdout.write(String(Math.round((process.resourceUsage().maxRSS * 1024 - before) / mib)))
} finally {
  await server.close()
  await rm(folder, { recursive: true })
}
