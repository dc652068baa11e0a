import { digestPattern } from '../../image-store/digest.ts'
import { OciError } from './oci-error.ts'

/** What a path below `/v2/` is about (OCI distribution-spec 1.1, "Endpoints"). */
export type OciTarget =
  | { kind: 'base' }
  | { kind: 'catalog' }
  | { kind: 'blob'; name: string; digest: string }
  | { kind: 'uploads'; name: string }
  | { kind: 'upload'; name: string; id: string }
  | { kind: 'manifest'; name: string; reference: string }
  | { kind: 'tags'; name: string }
  | { kind: 'referrers'; name: string; digest: string }

/** Names of one or more segments (OCI distribution-spec, "Pulling manifests"); 255 characters at most, because clients take no more. */
const segment = '[a-z0-9]+(?:(?:\\.|_|__|-+)[a-z0-9]+)*'
const namePattern = new RegExp(`^(?=.{1,255}$)${segment}(?:/${segment})*$`)

// A name may hold any of the words by which the endpoints are told apart, for example `team/blobs`: what counts stands at the end.
const endpoints = [
  [/^(.+)\/blobs\/uploads\/?$/, (name) => ({ kind: 'uploads', name })],
  [/^(.+)\/blobs\/uploads\/([^/]+)$/, (name, id) => ({ kind: 'upload', name, id })],
  [/^(.+)\/blobs\/([^/]+)$/, (name, digest) => ({ kind: 'blob', name, digest: checkDigest(digest) })],
  [/^(.+)\/manifests\/([^/]+)$/, (name, reference) => ({ kind: 'manifest', name, reference })],
  [/^(.+)\/tags\/list$/, (name) => ({ kind: 'tags', name })],
  [/^(.+)\/referrers\/([^/]+)$/, (name, digest) => ({ kind: 'referrers', name, digest: checkDigest(digest) })],
] as const satisfies readonly [RegExp, (name: string, last: string) => OciTarget][]

/** Takes apart what follows `/v2/`, for example `library/debian/manifests/12`. Throws `OciError` for a wrong name or digest; `undefined` for no endpoint. */
export function parseOciPath(path: string): OciTarget | undefined {
  if (path === '') return { kind: 'base' }
  if (path === '_catalog') return { kind: 'catalog' }
  for (const [pattern, make] of endpoints) {
    const match = pattern.exec(path)
    if (match === null) continue
    return make(checkName(match[1]!), match[2]!)
  }
  return undefined
}

/** Returns a name that fits the specification's grammar; throws `OciError` for any other. */
export function checkName(name: string): string {
  if (!namePattern.test(name)) throw new OciError('NAME_INVALID', `name: expected small letters and digits, in segments like library/debian-12, got "${name}"`)
  return name
}

/** Returns a digest; throws `OciError` for anything else. */
export function checkDigest(digest: string): string {
  if (!digestPattern.test(digest)) throw new OciError('DIGEST_INVALID', `digest: expected sha256: and 64 hex digits, got "${digest}"`)
  return digest
}
