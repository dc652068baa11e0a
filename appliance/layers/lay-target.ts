import { open } from 'node:fs/promises'
import { chunkSizeBytes, type ImageConfig, type ImageManifest } from '../../server/api/image.ts'
import type { Filesystem } from '../../images/plan.ts'
import { parseGpt, type GptPartition } from '../capture/gpt.ts'
import { growDisk } from '../restore/grow-disk.ts'
import { placeChunks } from '../restore/place-chunks.ts'
import type { StepContext, TargetDisk } from '../steps/context.ts'
import { mountTarget } from '../steps/mount-target.ts'
import { partitionDevice, waitForDevice } from '../steps/partition-device.ts'
import { openLayeredDisk, type OpenLayeredDisk } from './open-layered-disk.ts'

export interface LaidTarget {
  /** The real disk, for example `/dev/vda`. */
  device: string
  /** Of the disk as the steps see it; the last partition of a smaller image grows up to it. */
  sizeBytes: number
  /** Name of the image on the first computer whose blobs these are. */
  image: string
  manifest: Pick<ImageManifest, 'layers'>
  config: ImageConfig
  /** Whether the disk holds all of the image already; otherwise what it holds now counts for nothing. */
  isFilled: boolean
}

/** Makes an image the target disk: its partitions are mounted at the context's root, and what is written to it from now on is known. */
export async function layTarget({ device, sizeBytes, image, manifest, config, isFilled }: LaidTarget, context: StepContext): Promise<void> {
  const { root, server, run, start, log, signal } = context
  const { sectorBytes } = config
  // Chunks of another size than ours would be cut anew in any case.
  const layers = config.chunkSizeBytes === chunkSizeBytes ? manifest.layers : []
  const disk = await openLayeredDisk({
    sectorBytes,
    setup: { device, sizeBytes, chunkSizeBytes: config.chunkSizeBytes, isFilled, chunks: isFilled ? [] : placeChunks(manifest, config) },
    path: `${root}.disk`,
    readBlob: (digest, until) => server.readBlob(image, digest, until),
    run,
    start,
    onFailure: (reason) => log.error({ reason }, 'the disk cannot be read or written'),
    signal,
  })
  context.cleanUps.push(async () => {
    await disk.close()
    // What the disk holds is parts of a system: it shall not look like one.
    if (!isFilled && !signal.aborted) await run('blkdiscard', ['--zeroout', '--offset', '0', '--length', String(chunkSizeBytes), device])
  })
  await run('partx', ['--update', disk.device], { signal })
  if (sizeBytes > config.diskSizeBytes) await growDisk({ device: disk.device, config, run, signal })

  const partitions = await readPartitions(disk, config, context)
  const target: TargetDisk = { device: disk.device, layoutSizeBytes: sizeBytes, partitions, layered: { sectorBytes, layers, changed: disk.changed, ...(isFilled ? { filledDevice: device } : {}) } }
  await mountTarget(target, root, run)
  context.disk = target
}

/** The partitions of an image with what the steps need to know of them. Throws when the image does not tell where its root is. */
async function readPartitions({ device }: OpenLayeredDisk, config: ImageConfig, context: StepContext): Promise<TargetDisk['partitions']> {
  const partitions = await Promise.all((await readTable(device, config.sectorBytes)).map((found) => describe(found, device, config, context)))
  if (!partitions.some(({ mountPoint }) => mountPoint === '/')) throw new Error('the image to start from: expected a partition mounted at /, got none')
  return partitions
}

async function readTable(device: string, sectorBytes: number): Promise<GptPartition[]> {
  const disk = await open(device, 'r')
  try {
    const { buffer } = await disk.read(Buffer.alloc(1024 * 1024), 0, 1024 * 1024, 0)
    return parseGpt(buffer, sectorBytes).partitions
  } finally {
    await disk.close()
  }
}

async function describe({ number, ...found }: GptPartition, disk: string, config: ImageConfig, { run, signal }: StepContext): Promise<TargetDisk['partitions'][number]> {
  const device = partitionDevice(disk, number)
  await waitForDevice(device, signal)
  const known = config.partitions.find(({ startBytes }) => startBytes === found.startBytes)
  if (known?.filesystem === undefined || known.mountPoint === undefined) return { ...found, device }
  const filesystemUuid = await run('blkid', ['--probe', '--match-tag', 'UUID', '--output', 'value', device], { signal })
  return { ...found, device, filesystem: known.filesystem as Filesystem, mountPoint: known.mountPoint, filesystemUuid }
}
