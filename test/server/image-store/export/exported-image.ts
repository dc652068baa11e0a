import { randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { Readable } from 'node:stream'
import { onTestFinished } from 'vitest'
import { openImageFile, type ImageFormat, type OpenedImageFile } from '../../../../server/image-store/export/open-image-file.ts'
import { readImageFile } from '../../../../server/image-store/export/read-image-file.ts'
import { openImageStore, type Image, type ImageStore } from '../../../../server/image-store/open-image-store.ts'
import { sampleConfig, storeSample, type Chunk } from '../sample-image.ts'

/** A folder of this test alone. */
export async function makeFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'ingot-export-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  return folder
}

export interface Shape {
  diskSizeBytes: number
  chunkSizeBytes: number
  /** Which chunks of the disk hold something. */
  used: readonly number[]
}

/** A disk of this shape: half of each chunk is random and half is zero, also its first and its last block where that falls so. */
export function makeDisk({ diskSizeBytes, chunkSizeBytes, used }: Shape): Chunk[] {
  return used.map((index) => {
    const offsetBytes = index * chunkSizeBytes
    const bytes = Buffer.alloc(Math.min(chunkSizeBytes, diskSizeBytes - offsetBytes))
    const half = Math.ceil(bytes.length / 2)
    randomBytes(half).copy(bytes, index % 2 === 0 ? 0 : bytes.length - half)
    return { offsetBytes, bytes }
  })
}

/** What the disk of these chunks is, byte by byte. */
export function diskOf(chunks: readonly Chunk[], diskSizeBytes: number): Buffer {
  const disk = Buffer.alloc(diskSizeBytes)
  for (const { offsetBytes, bytes } of chunks) bytes.copy(disk, offsetBytes)
  return disk
}

export interface Published {
  store: ImageStore
  image: Image
  chunks: Chunk[]
  open: (format: ImageFormat) => Promise<OpenedImageFile>
  /** The bytes of a format, as they would be sent. */
  read: (format: ImageFormat, range?: { first: number; last: number }) => Promise<Buffer>
}

/** Publishes an image of this shape as `debian-12:job-1` in a store, by default one of its own that goes with the test. */
export async function publishShape(shape: Shape, store?: ImageStore): Promise<Published> {
  const into = store ?? (await openImageStore(await makeFolder()))
  const chunks = makeDisk(shape)
  const { diskSizeBytes, chunkSizeBytes } = shape
  const { bytes } = await storeSample(into, chunks, sampleConfig({ diskSizeBytes, chunkSizeBytes }))
  const image = await into.publish('debian-12', 'job-1', bytes)
  const open = (format: ImageFormat) => openImageFile(into, image, format)
  return {
    ...{ store: into, image, chunks, open },
    read: async (format, range) => buffer(Readable.from(readImageFile(await open(format), into.registry.blobs('debian-12'), range), { objectMode: false })),
  }
}
