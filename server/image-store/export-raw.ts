import { randomUUID } from 'node:crypto'
import { open, rename, rm, type FileHandle } from 'node:fs/promises'
import pMap from 'p-map'
import { chunksAtOnce, type ImageStore } from './open-image-store.ts'
import { planLayers } from './plan-layers.ts'
import { readLayer } from './read-blob.ts'

/** The unit in which zeros become holes: the block of common file systems. */
const blockBytes = 4096
const zeros = Buffer.alloc(blockBytes)

export interface ExportOptions {
  /** Version or digest; default the newest. */
  reference?: string
  signal?: AbortSignal
  onProgress?: (doneBytes: number, totalBytes: number) => void
}

/**
 * Writes an image as a raw disk, sparse, each chunk checked against its digest; the file has its name only once it is whole and durable, and
 * replaces one that was there. Throws `IngotError` `image-unknown`, or `image-corrupt` when a chunk no longer reads back right.
 */
export async function exportRaw(store: ImageStore, name: string, path: string, options: ExportOptions = {}): Promise<void> {
  const { manifest, config } = await store.resolve(name, options.reference)
  const blobs = store.registry.blobs(name)
  const layers = planLayers(manifest)
  const totalBytes = layers.reduce((sum, layer) => sum + layer.lengthBytes, 0)
  const beside = `${path}.${randomUUID()}.part`
  try {
    const file = await open(beside, 'wx')
    try {
      await file.truncate(config.diskSizeBytes)
      let doneBytes = 0
      const writeLayer = async (layer: (typeof layers)[number]) => {
        await writeSparse(file, await readLayer(blobs, layer), layer.offsetBytes)
        options.onProgress?.((doneBytes += layer.lengthBytes), totalBytes)
      }
      await pMap(layers, writeLayer, { concurrency: chunksAtOnce, ...(options.signal === undefined ? {} : { signal: options.signal }) })
      await file.sync()
    } finally {
      await file.close()
    }
    await rename(beside, path)
  } finally {
    await rm(beside, { force: true })
  }
}

/** Writes the runs of blocks that hold something; the file is zero where nothing was written. */
async function writeSparse(file: FileHandle, bytes: Buffer, position: number): Promise<void> {
  const isZero = (start: number) => {
    const block = bytes.subarray(start, start + blockBytes)
    return block.equals(zeros.subarray(0, block.length))
  }
  for (let start = 0; start < bytes.length; ) {
    let end = start
    while (end < bytes.length && !isZero(end)) end += blockBytes
    // `write` may take less than it is given.
    for (let at = start; at < Math.min(end, bytes.length); ) {
      at += (await file.write(bytes, at, Math.min(end, bytes.length) - at, position + at)).bytesWritten
    }
    start = end + blockBytes
  }
}
