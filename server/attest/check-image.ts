import { createHash } from 'node:crypto'
import pMap from 'p-map'
import prettyBytes from 'pretty-bytes'
import type { ImageConfig, ImageManifest } from '../api/image.ts'
import { IngotError } from '../errors.ts'
import type { BlobStore } from '../image-store/blob-store.ts'
import { parseImageConfig } from '../image-store/parse-image.ts'
import { checkLayers, planLayers } from '../image-store/plan-layers.ts'
import { bad, good, problemOf, type Finding } from './finding.ts'

/** Blobs that are read at once. */
const blobsAtOnce = 4
/** So many damaged blobs are told one by one. */
const mostTold = 10

export interface CheckImageOptions {
  signal?: AbortSignal
  onProgress?: (doneBytes: number, totalBytes: number) => void
}

/**
 * Reads all of an image back: each blob has its digest and its size, and the chunks fit the disk. Nothing is put aside. The config goes along, when it is
 * sound.
 */
export async function checkImage(
  blobs: BlobStore,
  manifest: ImageManifest,
  { signal, onProgress }: CheckImageOptions = {},
): Promise<{ finding: Finding; config?: ImageConfig }> {
  const descriptors = [...new Map([manifest.config, ...manifest.layers].map((blob) => [blob.digest, blob])).values()]
  const totalBytes = descriptors.reduce((sum, { size }) => sum + size, 0)
  let doneBytes = 0
  let config: ImageConfig | undefined
  const check = async ({ digest, size }: { digest: string; size: number }): Promise<string | undefined> => {
    const isConfig = digest === manifest.config.digest
    try {
      const bytes = await readWhole(blobs, digest, isConfig)
      if (bytes.got !== digest) return `blob ${digest} reads back as ${bytes.got}`
      if (bytes.sizeBytes !== size) return `blob ${digest} is of ${bytes.sizeBytes} bytes, and not of ${size}`
      if (isConfig) config = parseImageConfig(Buffer.concat(bytes.kept))
      return undefined
    } catch (error) {
      if (error instanceof IngotError && error.code === 'blob-unknown') return `blob ${digest} is missing`
      return problemOf(error)
    } finally {
      onProgress?.((doneBytes += size), totalBytes)
    }
  }
  const faults = (await pMap(descriptors, check, { concurrency: blobsAtOnce, ...(signal === undefined ? {} : { signal }) })).filter((fault) => fault !== undefined)
  if (config === undefined) return { finding: bad('content', ...told(faults)) }
  try {
    checkLayers(planLayers(manifest), config)
  } catch (error) {
    faults.push(...(error as IngotError).problems)
  }
  if (faults.length > 0) return { finding: bad('content', ...told(faults)), config }
  const disk = prettyBytes(config.diskSizeBytes, { binary: true })
  return { finding: good('content', `${descriptors.length} blobs of ${prettyBytes(totalBytes)} read back, each has its digest; a disk of ${disk}`), config }
}

const told = (faults: string[]): string[] => (faults.length <= mostTold ? faults : [...faults.slice(0, mostTold), `and ${faults.length - mostTold} more`])

/** Hashes a blob as it comes. */
async function readWhole(blobs: BlobStore, digest: string, isKept: boolean): Promise<{ got: string; sizeBytes: number; kept: Uint8Array[] }> {
  const hash = createHash('sha256')
  const kept: Uint8Array[] = []
  let sizeBytes = 0
  for await (const piece of (await blobs.read(digest)) as AsyncIterable<Uint8Array>) {
    hash.update(piece)
    sizeBytes += piece.length
    if (isKept) kept.push(piece)
  }
  return { got: `sha256:${hash.digest('hex')}`, sizeBytes, kept }
}
