import { imageNamePattern, imageVersionPattern } from '../../api/image.ts'
import { IngotError } from '../../errors.ts'
import { digestPattern } from '../../image-store/digest.ts'

export interface ImageReference {
  name: string
  /** Version or digest; without one the newest is meant. */
  reference?: string
}

/**
 * Reads what a user calls an image: `debian-12`, `debian-12:debian-12-20261123-1` or `debian-12@sha256:…`.
 * Throws `IngotError` 'argument-invalid' for anything else.
 */
export function parseImageReference(text: string): ImageReference {
  const [, name = '', mark, reference] = /^([^:@]*)(?:([:@])(.*))?$/s.exec(text) ?? []
  const isName = new RegExp(imageNamePattern).test(name)
  const isReference = reference === undefined || (mark === '@' ? digestPattern : new RegExp(imageVersionPattern)).test(reference)
  if (!isName || !isReference) throw new IngotError('argument-invalid', `image: expected NAME, NAME:VERSION or NAME@sha256:DIGEST, got "${text}"`)
  return { name, ...(reference === undefined ? {} : { reference }) }
}
