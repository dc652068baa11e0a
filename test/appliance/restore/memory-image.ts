import type { JobServer } from '../../../appliance/server-client.ts'
import { image } from '../../../appliance/steps/image.ts'
import type { ImageConfig, ImageManifest } from '../../../server/api/image.ts'
import { digestOf } from '../../server/image-store/sample-image.ts'
import type { GptDisk } from '../capture/gpt-disk.ts'
import { stepContext } from '../capture/step-context.ts'

/** An image that lies in memory. */
export interface MemoryImage {
  manifest: ImageManifest
  config: ImageConfig
  blobs: Map<string, Uint8Array>
  readBlob: (digest: string) => Promise<Uint8Array<ArrayBuffer>>
}

/** Performs the image step on a disk, with a server that keeps everything in memory. */
export async function captureToMemory(disk: Pick<GptDisk, 'root' | 'target'>): Promise<MemoryImage> {
  const blobs = new Map<string, Uint8Array>()
  const readBlob = async (digest: string) => new Uint8Array(blobs.get(digest)!)
  let manifestBytes = Buffer.alloc(0)
  const server: JobServer = {
    url: '',
    job: 'job-1',
    imageVersion: 'job-1',
    answers: async () => {},
    component: () => Promise.reject(new Error('not asked for')),
    readManifest: async () => new Uint8Array(manifestBytes),
    readBlob: (_image, digest) => readBlob(digest),
    findSnapshot: async () => undefined,
    pushSnapshot: () => Promise.reject(new Error('not asked for')),
    hasBlob: async (_image, digest) => blobs.has(digest),
    pushBlob: async (_image, digest, bytes) => void blobs.set(digest, Buffer.from(bytes)),
    pushManifest: async (_image, bytes) => {
      manifestBytes = Buffer.from(bytes)
      return { mediaType: '', digest: digestOf(bytes), size: bytes.length }
    },
  }
  await image({ kind: 'image', image: 'x' }, stepContext(disk, '', { server }))
  const manifest = JSON.parse(manifestBytes.toString()) as ImageManifest
    return { manifest, config: JSON.parse(Buffer.from(await readBlob(manifest.config.digest)).toString()) as ImageConfig, blobs, readBlob }
}
