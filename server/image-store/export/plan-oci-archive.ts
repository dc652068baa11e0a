import type { Image } from '../open-image-store.ts'
import { planLayers } from '../plan-layers.ts'
import type { StoredManifest } from '../registry.ts'
import { hexOf } from '../digest.ts'
import { parseManifest } from '../parse-manifest.ts'
import { blobPart, bytesPart, whatChunk, type FilePart, type ImageFile, type StoredBlob } from './image-file.ts'
import { tarBlockBytes, tarHeader } from './tar-header.ts'

/**
 * The version as an OCI archive: an OCI image layout (OCI image-spec 1.1, image-layout.md) in a tar, with the manifest, its config and chunks as they are
 * stored, and whatever refers to it, as signatures. Its index calls the image `name:version`, as our own layout does, and the others by their digests.
 * This is what `skopeo copy oci-archive:FILE:NAME:VERSION` and `podman` read, and what nothing is lost in; a tar of the files inside the disk would lose
 * its partitions and its boot loader. What must be read first comes first: layout, index, manifests, then blobs.
 */
export function planOciArchive(image: Image, manifest: Uint8Array, referrers: readonly StoredManifest[]): ImageFile {
  const files: { name: string; content: Uint8Array | StoredBlob }[] = [
    { name: 'oci-layout', content: Buffer.from('{"imageLayoutVersion":"1.0.0"}\n') },
    { name: 'index.json', content: Buffer.from(renderIndex(image, referrers)) },
  ]
  const blobs = new Map<string, Uint8Array | StoredBlob>([[image.digest, manifest]])
  for (const { digest, bytes } of referrers) blobs.set(digest, bytes)
  const add = (blob: StoredBlob) => void (blobs.has(blob.digest) || blobs.set(blob.digest, blob))
  add({ digest: image.manifest.config.digest, sizeBytes: image.manifest.config.size, what: 'the config' })
  for (const { digest, bytes } of referrers) for (const blob of parseManifest(bytes).blobs) add({ ...blob, what: `a blob of the referrer ${digest}` })
  for (const layer of planLayers(image.manifest)) add({ digest: layer.digest, sizeBytes: layer.blobBytes, what: whatChunk(layer) })
  for (const [digest, content] of blobs) files.push({ name: `blobs/sha256/${hexOf(digest)}`, content })

  const parts: FilePart[] = []
  let endBytes = 0
  for (const { name, content } of files) {
    const sizeBytes = 'digest' in content ? content.sizeBytes : content.length
    parts.push(bytesPart(endBytes, tarHeader(name, sizeBytes)))
    endBytes += tarBlockBytes
    if (sizeBytes > 0) parts.push('digest' in content ? blobPart(endBytes, content) : bytesPart(endBytes, content))
    endBytes += Math.ceil(sizeBytes / tarBlockBytes) * tarBlockBytes
  }
  // Two blocks of zeros are the end.
  return { sizeBytes: endBytes + 2 * tarBlockBytes, parts }
}

/** The name of a manifest in the index of a layout (OCI image-spec 1.1, annotations.md). */
export const refNameAnnotation = 'org.opencontainers.image.ref.name'

function renderIndex({ name, version, digest, manifestBytes, manifest: { mediaType, artifactType } }: Image, referrers: readonly StoredManifest[]): string {
  const describe = (manifest: { mediaType: string; artifactType?: string; digest: string; sizeBytes: number; tag?: string }) => ({
    mediaType: manifest.mediaType,
    ...(manifest.artifactType === undefined ? {} : { artifactType: manifest.artifactType }),
    digest: manifest.digest,
    size: manifest.sizeBytes,
    ...(manifest.tag === undefined ? {} : { annotations: { [refNameAnnotation]: `${name}:${manifest.tag}` } }),
  })
  const manifests = [{ mediaType, artifactType, digest, sizeBytes: manifestBytes, tag: version }, ...referrers].map(describe)
  return `${JSON.stringify({ schemaVersion: 2, mediaType: 'application/vnd.oci.image.index.v1+json', manifests }, undefined, 2)}\n`
}
