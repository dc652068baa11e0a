import { hash } from 'node:crypto'
import { open, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { ImageConfig, ImageManifest } from '../../server/api/image.ts'
import { chunkSizeBytes } from '../../server/api/image.ts'
import { mediaTypes } from '../../server/api/media-types.ts'
import { sizeOfRanges } from '../capture/byte-range.ts'
import { parseDpkgStatus } from '../capture/parse-dpkg-status.ts'
import { planCapture, type CapturePlan } from '../capture/plan-capture.ts'
import { sendChunks } from '../capture/send-chunks.ts'
import { unmountTree } from '../capture/unmount-tree.ts'
import type { StepContext, StepExecutor, TargetDisk } from './context.ts'

/**
 * Captures the used blocks of the target disk and streams them to the first computer as an image under the version of the claim (B23). The image
 * becomes visible only with its manifest, which is sent last. Leaves `/target` unmounted.
 */
export const image: StepExecutor<'image'> = async (step, context) => {
  const { disk, run, log, server, signal } = context
  if (disk === undefined) throw new Error('image: expected a disk from an earlier partition step, got none')
  const sectorBytes = context.inventory.disks.find(({ device }) => device === disk.device)?.logicalSectorBytes
  if (sectorBytes === undefined) throw new Error(`image: expected the disk ${disk.device} in the inventory, got none`)

  const packages = await readInstalledPackages(context.root)
  const devices = disk.partitions.map(({ device }) => device)
  await unmountTree(context.root, { devices, run })
  // A partition and its disk are cached apart: written blocks go to the disk, and what the disk's cache holds of old ones is dropped.
  for (const device of [...devices, disk.device]) await run('blockdev', ['--flushbufs', device])

  const handle = await open(disk.device, 'r')
  try {
    context.progress({ detail: 'finding used blocks' })
    const plan = await planCapture(handle, disk, { sectorBytes, run, log })
    const totalBytes = plan.chunks.reduce((sum, chunk) => sum + sizeOfRanges(chunk.used), 0)
    const sent = await sendChunks(handle, plan, {
      server,
      image: step.image,
      signal,
      onProgress: (doneBytes) => context.progress({ doneBytes, totalBytes, detail: 'sending used blocks' }),
    })

    const config = Buffer.from(JSON.stringify(renderConfig(context, disk, { sectorBytes, packages, partitions: plan.partitions })))
    const configDigest = `sha256:${hash('sha256', config)}`
    await server.pushBlob(step.image, configDigest, config, signal)
    const manifest: ImageManifest = {
      schemaVersion: 2,
      mediaType: mediaTypes.manifest,
      artifactType: mediaTypes.artifact,
      config: { mediaType: mediaTypes.config, digest: configDigest, size: config.length },
      layers: sent.layers,
    }
    context.progress({ doneBytes: totalBytes, totalBytes, detail: 'the server reads back what it stored' })
    const { digest } = await server.pushManifest(step.image, Buffer.from(JSON.stringify(manifest)), signal)
    const { layers, blobBytes, knownBytes } = sent
    const figures = { usedBytes: totalBytes, chunks: layers.length, blobBytes, knownBytes }
    log.info({ image: step.image, version: server.imageVersion, digest, ...figures }, 'image is published')
  } finally {
    await handle.close()
  }
}

/** Read while the installed system is mounted; a system without dpkg has no list. */
async function readInstalledPackages(root: string): Promise<ImageConfig['packages']> {
  try {
    return parseDpkgStatus(await readFile(join(root, 'var/lib/dpkg/status'), 'utf8'))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw error
  }
}

function renderConfig(
  { plan, job, inventory }: StepContext,
  disk: TargetDisk,
  found: { sectorBytes: number; packages: ImageConfig['packages']; partitions: CapturePlan['partitions'] },
): ImageConfig {
  return {
    version: 1,
    diskSizeBytes: disk.layoutSizeBytes,
    sectorBytes: found.sectorBytes,
    chunkSizeBytes,
    architecture: plan.architecture,
    firmware: plan.firmware,
    recipe: plan.recipe,
    job,
    machine: inventory.id,
    partitions: found.partitions.map(({ name, typeGuid, startBytes, sizeBytes, filesystem }) => {
      const planned = disk.partitions.find((partition) => partition.startBytes === startBytes)
      return {
        name,
        typeGuid,
        startBytes,
        sizeBytes,
        ...(filesystem === undefined ? {} : { filesystem }),
        ...(planned?.mountPoint === undefined ? {} : { mountPoint: planned.mountPoint }),
      }
    }),
    packages: found.packages,
    builtAt: new Date().toISOString(),
    workerVersion: inventory.workerVersion,
  }
}
