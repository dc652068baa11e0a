import { hash } from 'node:crypto'
import { access } from 'node:fs/promises'
import { join } from 'node:path'
import pMap from 'p-map'
import { imageNamePattern, imageVersionPattern, type ImageConfig, type ImageManifest } from '../api/image.ts'
import { replaceFile } from '../durable-file.ts'
import { IngotError } from '../errors.ts'
import { openBlobStore, type BlobStore } from './blob-store.ts'
import { readIndex, writeIndex, type ImageVersion } from './image-index.ts'
import { parseImageConfig, parseImageManifest } from './parse-image.ts'
import { checkLayers, planLayers, type Layer } from './plan-layers.ts'
import { readBlob, readLayer } from './read-blob.ts'

/** Largest manifest that is taken, in bytes: about 30,000 chunks. Registries promise 4 MiB (OCI distribution-spec, "Pushing Manifests"). */
export const maxManifestBytes = 8 * 1024 * 1024

/** Chunks that are read back or written at once: memory is this many times a blob and a chunk. */
export const chunksAtOnce = 4

/** A version with all that its manifest and config tell. */
export interface Image extends ImageVersion {
  manifest: ImageManifest
  config: ImageConfig
}

/** Images of disks, as OCI artifacts. Blobs come first, in any order; `publish` makes them a version of an image. */
export interface ImageStore {
  readonly blobs: BlobStore
  /**
   * Publishes a version after everything it names was read back and found right (F2); until then nothing is visible under its name (F3). The same
   * manifest again is no error. Throws `IngotError`: `image-invalid` or `blob-unknown` when the manifest is at fault, `image-corrupt` when the
   * store is, `image-exists` when the version is there with other contents. `confirm` is asked last, when all is read and nothing is visible yet:
   * what it throws stops the publishing (a claim may have ended meanwhile, F5).
   */
  publish(name: string, version: string, manifestBytes: Uint8Array, confirm?: () => Promise<void>): Promise<Image>
  /** Every version, oldest first. */
  list(): Promise<ImageVersion[]>
  /** One version of an image, found by version or by digest; without one, or with `latest`, the newest. Throws `IngotError` `image-unknown`. */
  resolve(name: string, reference?: string): Promise<Image>
}

/** Opens an OCI image layout (OCI image-spec 1.1, image-layout.md), making it as needed. One process at a time may publish to it. */
export async function openImageStore(directory: string, { now = () => new Date() }: { now?: () => Date } = {}): Promise<ImageStore> {
  const blobs = await openBlobStore(directory)
  const layoutFile = join(directory, 'oci-layout')
  await access(layoutFile).catch(() => replaceFile(layoutFile, '{"imageLayoutVersion":"1.0.0"}\n'))
  await readIndex(directory)

  const readImage = async (version: ImageVersion): Promise<Image> => {
    const manifest = parseImageManifest(await readBlob(blobs, version.digest, version.manifestBytes))
    return { ...version, manifest, config: parseImageConfig(await readBlob(blobs, manifest.config.digest, manifest.config.size)) }
  }

  /** The version as it stands in the index if it does; throws when it stands there with another digest. */
  const findSame = async (name: string, version: string, digest: string): Promise<ImageVersion | undefined> => {
    const same = (await readIndex(directory)).find((entry) => entry.name === name && entry.version === version)
    if (same !== undefined && same.digest !== digest) {
      throw new IngotError('image-exists', `${name}:${version} exists as ${same.digest}; a version never changes, publish under another`)
    }
    return same
  }

  // Only the index is written by turns; what takes long, reading back, goes on side by side.
  let turn: Promise<unknown> = Promise.resolve()
  const addToIndex = (entry: ImageVersion, confirm: () => Promise<void>): Promise<ImageVersion> => {
    const added = turn.then(async () => {
      await confirm()
      const same = await findSame(entry.name, entry.version, entry.digest)
      if (same === undefined) await writeIndex(directory, [...(await readIndex(directory)), entry])
      return same ?? entry
    })
    turn = added.catch(() => {})
    return added
  }

  return {
    blobs,
    list: () => readIndex(directory),
    async resolve(name, reference = 'latest') {
      const fits = (entry: ImageVersion) => entry.name === name && [entry.version, entry.digest, 'latest'].includes(reference)
      const version = (await readIndex(directory)).findLast(fits)
      if (version === undefined) throw new IngotError('image-unknown', `no image ${name}:${reference} has been published`)
      return readImage(version)
    },
    async publish(name, version, manifestBytes, confirm = async () => {}) {
      checkNames(name, version)
      if (manifestBytes.length > maxManifestBytes) {
        throw new IngotError('image-invalid', `manifest: expected at most ${maxManifestBytes} bytes, got ${manifestBytes.length}`)
      }
      const manifest = parseImageManifest(manifestBytes)
      const digest = `sha256:${hash('sha256', manifestBytes)}`
      const same = await findSame(name, version, digest)
      if (same !== undefined) return readImage(same)

      const config = parseImageConfig(await readBlob(blobs, manifest.config.digest, manifest.config.size))
      const layers = planLayers(manifest)
      checkLayers(layers, config)
      // Nothing is returned: results would be kept until the last, and they are the whole disk.
      const readBack = async (layer: Layer) => void (await readLayer(blobs, layer))
      await pMap(layers, readBack, { concurrency: chunksAtOnce })
      await blobs.write(digest, [manifestBytes])
      const entry = { name, version, digest, manifestBytes: manifestBytes.length, publishedAt: now().toISOString() }
      const published = await addToIndex(entry, confirm)
      return { ...published, manifest, config }
    },
  }
}

function checkNames(name: string, version: string): void {
  if (!new RegExp(imageNamePattern).test(name)) throw new IngotError('image-invalid', `image name: expected ${imageNamePattern}, got "${name}"`)
  if (version === 'latest' || !new RegExp(imageVersionPattern).test(version)) {
    throw new IngotError('image-invalid', `version: expected ${imageVersionPattern} but not latest, got "${version}"`)
  }
}
