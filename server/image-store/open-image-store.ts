import { join } from 'node:path'
import pMap from 'p-map'
import { imageNamePattern, imageVersionPattern, type ImageConfig, type ImageManifest } from '../api/image.ts'
import { IngotError } from '../errors.ts'
import { digestOf } from './digest.ts'
import { openLayoutRegistry, type LayoutRegistry } from './layout-registry.ts'
import { parseImageConfig, parseImageManifest } from './parse-image.ts'
import { isDisk, parseManifest } from './parse-manifest.ts'
import { checkLayers, planLayers } from './plan-layers.ts'
import { checkLayer, readBlob } from './read-blob.ts'
import type { ManifestEntry, PutOptions, Registry, StoredManifest } from './registry.ts'
import { openUploads, type UploadStore } from './upload-store.ts'

/** Largest manifest that is taken, in bytes: about 30,000 chunks. Registries promise 4 MiB (OCI distribution-spec, "Pushing Manifests"). */
export const maxManifestBytes = 8 * 1024 * 1024

/** Chunks that are read back or written at once: memory is this many times a blob and a chunk. */
export const chunksAtOnce = 4

/** A published version of an image, for example `{ name: 'debian-12', version: 'debian-12-20261123-1', digest: 'sha256:…', … }`. */
export interface ImageVersion {
  name: string
  version: string
  /** Of the manifest. */
  digest: string
  manifestBytes: number
  /** RFC 3339. */
  publishedAt: string
}

/** A version with all that its manifest and config tell. */
export interface Image extends ImageVersion {
  manifest: ImageManifest
  config: ImageConfig
}

/** Images of disks, as OCI artifacts in a registry. Blobs come first, in any order; `publish` makes them a version of an image. */
export interface ImageStore {
  /** Where all is kept, and whatever else is pushed: images for containers, signatures, any artifact. */
  readonly registry: Registry
  /** Blobs that come in pieces. */
  readonly uploads: UploadStore
  /**
   * Publishes a version after everything it names was read back and found right (F2); until then nothing is visible under its name (F3). The same
   * manifest again is no error. Throws `IngotError`: 'image-invalid' or 'blob-unknown' when the manifest is at fault, 'image-corrupt' when the
   * store is, 'image-exists' when the version is there with other contents. `confirm` is asked last, when all is read and nothing is visible yet:
   * what it throws stops the publishing (a claim may have ended meanwhile, F5).
   */
  publish(name: string, version: string, manifestBytes: Uint8Array, confirm?: () => Promise<void>): Promise<Image>
  /**
   * The first half of `publish`, with the same refusals: everything is read back, and the manifest kept by its digest alone. Nothing is visible under the
   * name.
   */
  receive(name: string, version: string, manifestBytes: Uint8Array, confirm?: () => Promise<void>): Promise<Image>
  /** An image that was received to become this version, visible or not; `undefined` when it is not in the store. */
  received(name: string, version: string, digest: string): Promise<Image | undefined>
  /** The second half: a received image gets its version, in one step and for good. Throws `IngotError` 'image-unknown', 'image-exists'. */
  makeVisible(name: string, version: string, digest: string, confirm?: () => Promise<void>): Promise<Image>
  /**
   * Stores any other manifest under a tag or under its digest, byte for byte. `declared` is its media type as its sender tells it.
   * Throws `IngotError`: 'image-invalid', 'blob-unknown', 'blob-refused' when it does not have the digest, 'image-exists'.
   */
  putManifest(name: string, reference: string, manifestBytes: Uint8Array, declared?: string, options?: PutOptions): Promise<ManifestEntry>
  /** Every version, oldest first. */
  list(): Promise<ImageVersion[]>
  /** One version of an image, found by version or by digest; without one, or with `latest`, the newest. Throws `IngotError` 'image-unknown'. */
  resolve(name: string, reference?: string): Promise<Image>
  /**
   * Takes a version, or any other manifest, off the store; its blobs go with the next garbage collection.
   * Throws `IngotError` 'image-unknown', or 'image-in-use' telling by what.
   */
  remove(name: string, reference: string): Promise<void>
  close(): void
}

/** What uses a version, for people, for example `job web-3 writes it to a disk`; nothing when it may go. */
export type UseOf = (version: ImageVersion) => Promise<string | undefined>

export interface ImageStoreOptions {
  /** Clock, for when a version was published. */
  now?: () => Date
  /** Asked before a version is removed, by whomever; default that none is used. */
  useOf?: UseOf
}

/** The images in an OCI image layout, made as needed; see `openLayoutRegistry`. */
export async function openImageStore(directory: string, { now = () => new Date(), useOf }: ImageStoreOptions = {}): Promise<ImageStore & { registry: LayoutRegistry }> {
  const registry = await openLayoutRegistry(directory, { now })
  const uploads = await openUploads(join(directory, 'uploads'))
  await uploads.dropAbandoned()
  return { ...createImageStore(registry, uploads, useOf === undefined ? {} : { useOf }), registry }
}

/** Images of disks in any registry. `uploads` are files of this machine, wherever the registry is. */
export function createImageStore(registry: Registry, uploads: UploadStore, { useOf = async () => undefined }: Pick<ImageStoreOptions, 'useOf'> = {}): ImageStore {
  const readImage = async (stored: StoredManifest & { tag: string }): Promise<Image> => {
    const manifest = parseImageManifest(stored.bytes)
    const config = parseImageConfig(await readBlob(registry.blobs(stored.name), manifest.config.digest, manifest.config.size))
    return { ...versionOf(stored), manifest, config }
  }

  /** A version that is there already, if it is; throws when it is there with another digest. */
  const findSame = async (name: string, version: string, digest: string): Promise<Image | undefined> => {
    const same = await registry.read(name, version)
    if (same === undefined) return undefined
    if (same.digest === digest) return readImage({ ...same, tag: version })
    throw new IngotError('image-exists', `${name}:${version} exists as ${same.digest}; a version never changes, publish under another`)
  }

  /** Stores the manifest of a disk image under its tag, or by its digest alone, once all that it names was read back. */
  const take = async ({ name, version, tag }: { name: string; version: string; tag?: string }, manifestBytes: Uint8Array, confirm = async () => {}): Promise<Image> => {
    checkNames(name, version)
    checkSize(manifestBytes)
    const manifest = parseImageManifest(manifestBytes)
    const same = await findSame(name, version, digestOf(manifestBytes))
    if (same !== undefined) return same

    const blobs = registry.blobs(name)
    const config = parseImageConfig(await readBlob(blobs, manifest.config.digest, manifest.config.size))
    const layers = planLayers(manifest)
    checkLayers(layers, config)
    await pMap(layers, (layer) => checkLayer(blobs, layer), { concurrency: chunksAtOnce })
    const entry = await registry.put(name, { ...(tag === undefined ? {} : { tag }), bytes: manifestBytes, facts: parseManifest(manifestBytes) }, { confirm })
    return { ...versionOf({ ...entry, tag: version }), manifest, config }
  }

  return {
    registry,
    uploads,
    list: async () => (await registry.disks()).map(versionOf),
    async resolve(name, reference = 'latest') {
      const stored = await registry.read(name, reference)
      if (stored?.tag === undefined || !isDisk(stored)) throw new IngotError('image-unknown', `no image ${name}:${reference} has been published`)
      return readImage({ ...stored, tag: stored.tag })
    },
    publish: (name, version, manifestBytes, confirm) => take({ name, version, tag: version }, manifestBytes, confirm),
    receive: (name, version, manifestBytes, confirm) => take({ name, version }, manifestBytes, confirm),
    async received(name, version, digest) {
      const stored = await registry.read(name, digest)
      return stored === undefined || !isDisk(stored) ? undefined : readImage({ ...stored, tag: version })
    },
    async makeVisible(name, version, digest, confirm = async () => {}) {
      const stored = await registry.read(name, digest)
      if (stored === undefined) throw new IngotError('image-unknown', `no image ${name}@${digest} is stored`)
      const entry = await registry.put(name, { tag: version, bytes: stored.bytes, facts: parseManifest(stored.bytes) }, { confirm })
      return readImage({ ...entry, tag: version, bytes: stored.bytes })
    },
    async putManifest(name, reference, manifestBytes, declared, options) {
      checkSize(manifestBytes)
      const facts = parseManifest(manifestBytes, declared)
      const digest = digestOf(manifestBytes)
      const isDigest = reference.startsWith('sha256:')
      if (isDigest && reference !== digest) throw new IngotError('blob-refused', `manifest: expected the digest ${reference}, got ${digest}`)
      if (!isDigest) checkTag(reference)
      if (reference === 'latest' && (await registry.read(name, 'latest').then((stored) => stored !== undefined && isDisk(stored)))) {
        throw new IngotError('image-exists', `${name}:latest is always the newest version of that image, expected another tag`)
      }
      return registry.put(name, { ...(isDigest ? {} : { tag: reference }), bytes: manifestBytes, facts }, options)
    },
    async remove(name, reference) {
      const stored = (await registry.disks()).filter((entry) => entry.name === name && (entry.tag === reference || entry.digest === reference))
      for (const version of stored.map(versionOf)) {
        const use = await useOf(version)
        if (use !== undefined) throw new IngotError('image-in-use', `${name}:${version.version} is in use: ${use}`)
      }
      if (!(await registry.remove(name, reference))) throw new IngotError('image-unknown', `no image ${name}:${reference} is stored`)
    },
    close: () => registry.close(),
  }
}

const versionOf = ({ name, tag, digest, sizeBytes, storedAt }: ManifestEntry & { tag: string }): ImageVersion => ({
  name,
  version: tag,
  digest,
  manifestBytes: sizeBytes,
  publishedAt: storedAt,
})

function checkSize(manifestBytes: Uint8Array): void {
  if (manifestBytes.length > maxManifestBytes) throw new IngotError('image-invalid', `manifest: expected at most ${maxManifestBytes} bytes, got ${manifestBytes.length}`)
}

function checkTag(tag: string): void {
  if (!new RegExp(imageVersionPattern).test(tag)) throw new IngotError('image-invalid', `tag: expected ${imageVersionPattern}, got "${tag}"`)
}

function checkNames(name: string, version: string): void {
  if (!new RegExp(imageNamePattern).test(name)) throw new IngotError('image-invalid', `image name: expected ${imageNamePattern}, got "${name}"`)
  if (version === 'latest' || !new RegExp(imageVersionPattern).test(version)) {
    throw new IngotError('image-invalid', `version: expected ${imageVersionPattern} but not latest, got "${version}"`)
  }
}
