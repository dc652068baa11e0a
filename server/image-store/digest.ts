import { hash } from 'node:crypto'
import { IngotError } from '../errors.ts'

/** Digests as they name blobs and manifests here: sha256, the one that every OCI client knows (OCI image-spec, descriptor.md). */
export const digestPattern = /^sha256:([0-9a-f]{64})$/

/** The digest of bytes, for example `sha256:9f86d0…`. */
export const digestOf = (bytes: Uint8Array): string => `sha256:${hash('sha256', bytes)}`

/** The hex digits of a digest, which may become a file name. Throws `IngotError` 'blob-refused' for anything else. */
export function hexOf(digest: string): string {
  const hex = digestPattern.exec(digest)?.[1]
  if (hex === undefined) throw new IngotError('blob-refused', `digest: expected sha256: and 64 hex digits, got "${digest}"`)
  return hex
}
