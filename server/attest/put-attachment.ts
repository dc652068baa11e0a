import { mediaTypes } from '../api/media-types.ts'
import { digestOf } from '../image-store/digest.ts'
import { parseManifest } from '../image-store/parse-manifest.ts'
import type { ManifestEntry, Registry } from '../image-store/registry.ts'
import { attestationTypes, type BlobDescriptor } from './attestation-types.ts'

export interface AttachedBlob {
  mediaType: string
  bytes: Buffer
  annotations?: Record<string, string>
}

export interface Attachment {
  subject: BlobDescriptor
  artifactType: string
  blobs: readonly AttachedBlob[]
  /** A tag for tools that know no referrers; without one it is found by its subject only. */
  tag?: string
}

/** Attaches blobs to a manifest under the same name (OCI image-spec 1.1, manifest.md, `subject`). The same again changes nothing. */
export async function putAttachment(registry: Registry, name: string, { subject, artifactType, blobs, tag }: Attachment): Promise<ManifestEntry> {
  const store = registry.blobs(name)
  const layers: BlobDescriptor[] = []
  for (const { bytes, mediaType, annotations } of blobs) {
    const digest = digestOf(bytes)
    await store.write(digest, [bytes])
    layers.push({ mediaType, digest, size: bytes.length, ...(annotations === undefined ? {} : { annotations }) })
  }
  const config = configFor(layers, tag !== undefined)
  await store.write(digestOf(config.bytes), [config.bytes])
  const bytes = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: mediaTypes.manifest,
      artifactType,
      config: { mediaType: config.mediaType, digest: digestOf(config.bytes), size: config.bytes.length },
      layers,
      subject,
    }),
  )
  return registry.put(name, { ...(tag === undefined ? {} : { tag }), bytes, facts: parseManifest(bytes) })
}

/** Tools that find an attachment by its tag take it for an image, which has a config of its own; the others want none. */
function configFor(layers: readonly BlobDescriptor[], isTagged: boolean): AttachedBlob {
  if (!isTagged) return { mediaType: attestationTypes.empty, bytes: Buffer.from('{}') }
  const config = { architecture: '', os: '', config: {}, rootfs: { type: 'layers', diff_ids: layers.map(({ digest }) => digest) } }
  return { mediaType: attestationTypes.imageConfig, bytes: Buffer.from(JSON.stringify(config)) }
}
