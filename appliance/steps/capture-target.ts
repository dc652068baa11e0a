import { hash } from 'node:crypto'
import { open, readFile, type FileHandle } from 'node:fs/promises'
import { release } from 'node:os'
import { join } from 'node:path'
import { chunkSizeBytes, offsetAnnotation, type ChunkDescriptor, type ImageConfig, type ImageManifest } from '../../server/api/image.ts'
import { mediaTypes } from '../../server/api/media-types.ts'
import { sizeOfRanges } from '../capture/byte-range.ts'
import { parseDpkgStatus } from '../capture/parse-dpkg-status.ts'
import { planCapture, type CapturePlan } from '../capture/plan-capture.ts'
import { sendChunks } from '../capture/send-chunks.ts'
import { unmountTree } from '../capture/unmount-tree.ts'
import { splitUnchanged } from '../layers/split-unchanged.ts'
import { markCapture } from '../resume/mark-capture.ts'
import { MissingBlobError } from '../server-client.ts'
import type { StepContext, TargetDisk } from './context.ts'

/** How often an image is sent whose parts the server then lacks. */
const mostSends = 3

/** What becomes of the chunks that are sent. */
export interface Destination {
  /** Which step of the plan this is, from where an attempt that loses its power now goes on. */
  stepIndex: number
  /** Name of the image that they belong to. */
  image: string
  artifactType: string
  annotations?: Readonly<Record<string, string>>
  /** Sends the manifest, which is last; throws `MissingBlobError` when the server lacks something that it names. */
  publish: (manifest: Uint8Array, signal: AbortSignal) => Promise<unknown>
}

/** What was captured, and how much of it had to be read and sent. */
export interface Captured {
  manifest: Pick<ImageManifest, 'layers'>
  config: ImageConfig
  digest: string
  figures: { usedBytes: number; chunks: number; unchangedChunks: number; blobBytes: number; knownBytes: number }
}

/**
 * Captures the used blocks of the target disk and streams them to the first computer, the manifest last. What is as in the image that the disk lies over
 * is neither read nor sent. Leaves `/target` unmounted.
 */
export async function captureTarget(destination: Destination, context: StepContext): Promise<Captured> {
  const { disk, run, log } = context
  if (disk === undefined) throw new Error('expected a disk from an earlier step, got none')
  const sectorBytes = disk.layered?.sectorBytes ?? context.inventory.disks.find(({ device }) => device === disk.device)?.logicalSectorBytes
  if (sectorBytes === undefined) throw new Error(`expected the disk ${disk.device} in the inventory, got none`)

  const packages = await readInstalledPackages(context.root)
  const devices = disk.partitions.map(({ device }) => device)
  await unmountTree(context.root, { devices, run })
  // A partition and its disk are cached apart: written blocks go to the disk, and what the disk's cache holds of old ones is dropped.
  for (const device of [...devices, disk.device]) await run('blockdev', ['--flushbufs', device])

  const handle = await open(disk.device, 'r')
  try {
    context.progress({ detail: 'finding used blocks' })
    const plan = await planCapture(handle, disk, { sectorBytes, run, log })
    const config = renderConfig(context, disk, { ...plan, sectorBytes, packages })
    const changed = await disk.layered?.changed()
    const { patches, unmark } = await markCapture(destination.stepIndex, context)
    const { manifest, digest, ...sent } = await keepWhole((sends) => {
      // What the server lacks may be what was not sent because it had it once.
      const split = sends === 1 && disk.layered !== undefined ? splitUnchanged(plan.chunks, disk.layered.layers, changed!) : { unchanged: [], chunks: plan.chunks }
      return sendImage(handle, { plan: { ...plan, patches: [...plan.patches, ...patches], chunks: split.chunks }, unchanged: split.unchanged, config, destination }, context)
    }, log)
    await unmark()
    return { manifest, config, digest, figures: { usedBytes: usedBytesOf(plan.chunks), ...sent } }
  } finally {
    await handle.close()
  }
}

/** What the server turns out to lack is sent again; a server that lacks something each time has a fault that this does not heal. */
async function keepWhole<Result>(send: (sends: number) => Promise<Result>, log: StepContext['log']): Promise<Result> {
  for (let sends = 1; ; sends++) {
    try {
      return await send(sends)
    } catch (error) {
      if (!(error instanceof MissingBlobError) || sends === mostSends) throw error
      log.warn({ reason: error.message }, 'the first computer lacks a part of the image; that is sent again')
    }
  }
}

const usedBytesOf = (chunks: CapturePlan['chunks']): number => chunks.reduce((sum, chunk) => sum + sizeOfRanges(chunk.used), 0)

interface Sending {
  plan: CapturePlan
  /** Chunks beside those of the plan that the server has. */
  unchanged: readonly ChunkDescriptor[]
  config: ImageConfig
  destination: Destination
}

async function sendImage(handle: FileHandle, { plan, unchanged, config, destination }: Sending, { server, signal, progress }: StepContext) {
  const { image, artifactType, annotations, publish } = destination
  const totalBytes = usedBytesOf(plan.chunks)
  const { layers, blobBytes, knownBytes } = await sendChunks(handle, plan, {
    server,
    image,
    signal,
    onProgress: (doneBytes) => progress({ doneBytes, totalBytes, detail: 'sending used blocks' }),
  })
  const configBytes = Buffer.from(JSON.stringify(config))
  const configDigest = digestOf(configBytes)
  await server.pushBlob(image, configDigest, configBytes, signal)
  const manifest = {
    schemaVersion: 2,
    mediaType: mediaTypes.manifest,
    artifactType,
    config: { mediaType: mediaTypes.config, digest: configDigest, size: configBytes.length },
    layers: inOrder([...unchanged, ...layers]),
    ...(annotations === undefined ? {} : { annotations }),
  }
  const manifestBytes = Buffer.from(JSON.stringify(manifest))
  progress({ doneBytes: totalBytes, totalBytes, detail: 'the server checks what it stored' })
  await publish(manifestBytes, signal)
  return { manifest, digest: digestOf(manifestBytes), chunks: manifest.layers.length, unchangedChunks: unchanged.length, blobBytes, knownBytes }
}

const digestOf = (bytes: Uint8Array): string => `sha256:${hash('sha256', bytes)}`

const inOrder = (layers: readonly ChunkDescriptor[]): ChunkDescriptor[] =>
  layers.toSorted((one, other) => Number(one.annotations[offsetAnnotation]) - Number(other.annotations[offsetAnnotation]))

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
  found: Pick<CapturePlan, 'diskSizeBytes' | 'partitions'> & Pick<ImageConfig, 'sectorBytes' | 'packages'>,
): ImageConfig {
  return {
    version: 1,
    diskSizeBytes: found.diskSizeBytes,
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
    programs: { linux: release(), node: process.versions.node, zstd: process.versions.zstd ?? 'unknown' },
  }
}
