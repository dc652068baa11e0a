import type { ImageStore } from './open-image-store.ts'
import { openImageFile } from './export/open-image-file.ts'
import { writeImageFile, type WriteImageOptions } from './export/write-image-file.ts'

export interface ExportOptions extends Pick<WriteImageOptions, 'signal' | 'onProgress'> {
  /** Version or digest; default the newest. */
  reference?: string
}

/**
 * Writes an image as a raw disk and replaces a file that was there; see `writeImageFile`.
 * Throws `IngotError` `image-unknown`, or `image-corrupt` when a chunk no longer reads back right.
 */
export async function exportRaw(store: ImageStore, name: string, path: string, { reference, ...options }: ExportOptions = {}): Promise<void> {
  const image = await store.resolve(name, reference)
  await writeImageFile(await openImageFile(store, image, 'raw'), store.registry.blobs(name), path, { ...options, force: true })
}
