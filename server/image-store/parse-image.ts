import { imageConfigSchema, imageManifestSchema, type ImageConfig, type ImageManifest } from '../api/image.ts'
import { parseAs } from './parse-as.ts'

/** Reads the manifest of an image; throws `IngotError` `image-invalid` naming every wrong field. */
export const parseImageManifest = (bytes: Uint8Array): ImageManifest => parseAs(imageManifestSchema, bytes, 'manifest')

/** Reads the config of an image; throws `IngotError` `image-invalid` naming every wrong field. */
export const parseImageConfig = (bytes: Uint8Array): ImageConfig => parseAs(imageConfigSchema, bytes, 'config')
