import { IngotError } from '../../errors.ts'
import { digestOf } from '../digest.ts'
import type { Image, ImageStore } from '../open-image-store.ts'
import { collectReferrers } from './collect-referrers.ts'
import type { ImageFile } from './image-file.ts'
import { planOciArchive } from './plan-oci-archive.ts'
import { planQcow2 } from './plan-qcow2.ts'
import { planRaw } from './plan-raw.ts'
import { planRawZst } from './plan-raw-zst.ts'

/** What an image can be had as, by the ending of the file, with its media type. */
export const imageFormats = {
  /** The disk itself. */
  raw: 'application/octet-stream',
  /** For QEMU and what builds on it. */
  qcow2: 'application/x-qemu-disk',
  /** The disk, packed (RFC 8878). */
  'raw.zst': 'application/zstd',
  /** An OCI archive: the version with all that refers to it, for other registries and other first computers. */
  tar: 'application/x-tar',
} as const
export type ImageFormat = keyof typeof imageFormats
export const imageFormatNames = Object.keys(imageFormats) as ImageFormat[]

/** To be raised when a byte of any format but `raw` changes: who resumes a download must not get the rest of another file. */
const layoutVersion = 1

export interface OpenedImageFile extends ImageFile {
  format: ImageFormat
  /** For example `debian-12-20261123-1.qcow2`. */
  fileName: string
  mediaType: string
  /** Strong validator (RFC 9110, 8.8.1): the same only for the same bytes. */
  etag: string
}

/** An image in a format; nothing of the disk is read yet. Throws `IngotError` 'image-invalid' when it cannot be had in this one. */
export async function openImageFile(store: ImageStore, image: Image, format: ImageFormat): Promise<OpenedImageFile> {
  const { file, tag } = await plan(store, image, format)
  const { name, version } = image
  const baseName = version.startsWith(name) ? version : `${name}-${version}`
  return { ...file, format, fileName: `${baseName}.${format}`, mediaType: imageFormats[format], etag: `"${format}.${layoutVersion}-${tag}"` }
}

async function plan(store: ImageStore, image: Image, format: ImageFormat): Promise<{ file: ImageFile; tag: string }> {
  const { name, version, digest } = image
  switch (format) {
    case 'raw':
      return { file: planRaw(image), tag: digest }
    case 'qcow2':
      return { file: planQcow2(image), tag: digest }
    case 'raw.zst':
      return { file: planRawZst(image), tag: digest }
    case 'tar': {
      const stored = await store.registry.read(name, digest)
      if (stored === undefined) throw new IngotError('image-unknown', `no image ${name}:${version} has been published`)
      const referrers = await collectReferrers(store.registry, name, digest)
      // A signature may be added at any time, and then it is another archive.
      const tag = digestOf(Buffer.from([name, version, digest, ...referrers.map((each) => each.digest)].join(' ')))
      return { file: planOciArchive(image, stored.bytes, referrers), tag }
    }
  }
}
