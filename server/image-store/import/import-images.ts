import pMap from 'p-map'
import { IngotError } from '../../errors.ts'
import type { StoredBlob } from '../export/image-file.ts'
import { chunksAtOnce, type Image, type ImageStore } from '../open-image-store.ts'
import { openOciArchive, type OciArchive } from './open-oci-archive.ts'
import { planImport, type ImportAs, type PlannedImport } from './plan-import.ts'

export interface ImportOptions {
  /** Name and version in place of those in the archive, which then holds one image. */
  as?: ImportAs
  signal?: AbortSignal
  onProgress?: (doneBytes: number, totalBytes: number) => void
}

export interface Imported {
  image: Image
  /** False when this very image was there already. */
  isNew: boolean
  /** Blobs that were not there, and their bytes. */
  blobs: number
  bytes: number
  /** Signatures and whatever else is about the image. */
  attachments: number
}

/**
 * Takes in the images of an OCI archive. Blobs come first, each checked against its digest; then the image is read back as a whole, what is about it is
 * attached, and last it gets its version: nothing is visible before. The same image again is no error. Throws `IngotError`: 'argument-invalid' when the
 * file or the names are at fault, 'image-invalid' when the archive is, telling which part of it, 'image-exists' when the version is there with other
 * contents.
 */
export async function importImages(store: ImageStore, path: string, { as, signal, onProgress }: ImportOptions = {}): Promise<Imported[]> {
  const archive = await openOciArchive(path, signal)
  const planned = planImport(archive.manifests, as)
  const totalBytes = planned.flatMap(({ blobs }) => blobs).reduce((sum, { sizeBytes }) => sum + sizeBytes, 0)
  let doneBytes = 0
  const imported: Imported[] = []
  const onBlob = ({ sizeBytes }: StoredBlob) => onProgress?.((doneBytes += sizeBytes), totalBytes)
  for (const plan of planned) imported.push(await importImage(store, archive, plan, { onBlob, ...(signal === undefined ? {} : { signal }) }))
  return imported
}

async function importImage(
  store: ImageStore,
  archive: OciArchive,
  { name, version, bytes, blobs, attachments }: PlannedImport,
  { signal, onBlob }: { signal?: AbortSignal; onBlob: (blob: StoredBlob) => void },
): Promise<Imported> {
  const before = await store.registry.read(name, version)
  const there = store.registry.blobs(name)
  const taken: number[] = []
  const take = async (blob: StoredBlob) => {
    if ((await there.keep(blob.digest)) !== blob.sizeBytes) {
      await there.write(blob.digest, archive.read(blob.digest), { maxBytes: blob.sizeBytes }).catch((error: unknown) => {
        const isDamage = error instanceof IngotError && (error.code === 'blob-refused' || error.code === 'blob-too-large')
        throw isDamage ? new IngotError('image-invalid', `archive: ${blob.what} is damaged: ${error.message}`, { cause: error }) : error
      })
      taken.push(blob.sizeBytes)
    }
    onBlob(blob)
  }
  await pMap(blobs, take, { concurrency: chunksAtOnce, ...(signal === undefined ? {} : { signal }) })
  const { digest } = await store.receive(name, version, bytes)
  for (const { reference, mediaType, bytes: attached } of attachments) await store.putManifest(name, reference, attached, mediaType)
  const image = await store.makeVisible(name, version, digest)
  return { image, isNew: before === undefined, blobs: taken.length, bytes: taken.reduce((sum, each) => sum + each, 0), attachments: attachments.length }
}
