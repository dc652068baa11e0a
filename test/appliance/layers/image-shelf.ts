import type { JobServer } from '../../../appliance/server-client.ts'
import type { ImageManifest } from '../../../server/api/image.ts'
import { digestOf } from '../../server/image-store/sample-image.ts'

/** Images and what jobs keep, in memory, and what went over the wire. */
export interface ImageShelf {
  /** Manifests by version, by tag and by digest. */
  manifests: Map<string, Uint8Array>
  blobs: Map<string, Uint8Array>
  /** Digests of blobs in the order in which they were sent, and fetched. */
  sent: string[]
  fetched: string[]
  manifest(reference: string): ImageManifest
  /** What a job that publishes a version needs of a server. */
  serve(imageVersion: string): Omit<JobServer, 'component'>
}

/** An empty shelf, or one with all that another holds. */
export function createImageShelf(earlier?: ImageShelf): ImageShelf {
  const shelf: ImageShelf = {
    manifests: new Map(earlier?.manifests),
    blobs: new Map(earlier?.blobs),
    sent: [],
    fetched: [],
    manifest: (reference) => JSON.parse(Buffer.from(shelf.manifests.get(reference)!).toString()) as ImageManifest,
    serve: (imageVersion) => ({
      url: '',
      job: imageVersion,
      imageVersion,
      answers: async () => {},
      readManifest: async (_image, digest) => new Uint8Array(shelf.manifests.get(digest)!),
      async readBlob(_image, digest) {
        shelf.fetched.push(digest)
        const blob = shelf.blobs.get(digest)
        if (blob === undefined) throw new Error(`blob ${digest} is not in the store`)
        return new Uint8Array(blob)
      },
      async findSnapshot(_image, tag) {
        const found = shelf.manifests.get(tag)
        return found === undefined ? undefined : digestOf(found)
      },
      pushSnapshot: async (_image, tag, bytes) => put(tag, bytes),
      hasBlob: async (_image, digest) => shelf.blobs.has(digest),
      async pushBlob(_image, digest, bytes) {
        shelf.sent.push(digest)
        shelf.blobs.set(digest, Buffer.from(bytes))
      },
      async pushManifest(_image, bytes) {
        put(imageVersion, bytes)
        return { mediaType: '', digest: digestOf(bytes), size: bytes.length }
      },
    }),
  }
  const put = (reference: string, bytes: Uint8Array): void => {
    for (const key of [reference, digestOf(bytes)]) shelf.manifests.set(key, Buffer.from(bytes))
  }
  return shelf
}
