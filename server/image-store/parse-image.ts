import type { Static, TSchema } from 'typebox'
import { renderFault } from '../../images/fault.ts'
import { findFaults } from '../../images/parse-document.ts'
import { imageConfigSchema, imageManifestSchema, type ImageConfig, type ImageManifest } from '../api/image.ts'
import { IngotError } from '../errors.ts'

function parseAs<Schema extends TSchema>(schema: Schema, bytes: Uint8Array, what: string): Static<Schema> {
  const refuse = (problems: string[]) => new IngotError('image-invalid', `${what}: ${problems[0]}`, { problems })
  let value: unknown
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
  } catch (error) {
    throw refuse([`expected JSON in UTF-8: ${(error as Error).message}`])
  }
  const problems = findFaults(schema, value).map(renderFault)
  if (problems.length > 0) throw refuse(problems)
  return value as Static<Schema>
}

/** Reads the manifest of an image; throws `IngotError` `image-invalid` naming every wrong field. */
export const parseImageManifest = (bytes: Uint8Array): ImageManifest => parseAs(imageManifestSchema, bytes, 'manifest')

/** Reads the config of an image; throws `IngotError` `image-invalid` naming every wrong field. */
export const parseImageConfig = (bytes: Uint8Array): ImageConfig => parseAs(imageConfigSchema, bytes, 'config')
