import pMap from 'p-map'
import type { Response } from 'undici'
import { isSnapshotTag } from '../../images/snapshot-tag.ts'
import { IngotError } from '../errors.ts'
import { attachmentTag, isAttachmentTag, type AttachmentKind } from './attachment-tag.ts'
import { digestOf } from './digest.ts'
import { parseImageConfig } from './parse-image.ts'
import { isDisk, parseManifest, type ManifestFacts } from './parse-manifest.ts'
import { readBlob } from './read-blob.ts'
import { createRemoteBlobs } from './remote-blobs.ts'
import { createRemoteReferrers, indexType, type AskAbout } from './remote-referrers.ts'
import type { RegistryClient } from './registry-client.ts'
import type { ManifestEntry, Registry, StoredManifest } from './registry.ts'

const accept = [
  'application/vnd.oci.image.manifest.v1+json',
  indexType,
  'application/vnd.docker.distribution.manifest.v2+json',
  'application/vnd.docker.distribution.manifest.list.v2+json',
].join(', ')

/** Questions to the registry at once. */
const asksAtOnce = 8

/**
 * Any OCI registry as the place of the images, for when one machine is outgrown. It looks after its own garbage, and the tag `latest` follows the newest
 * version. `list` needs its catalog (`/v2/_catalog`), which Docker's registry and most others have.
 */
export function createRemoteRegistry(client: RegistryClient): Registry {
  const { prefix } = client
  const known = new Map<string, Omit<ManifestEntry, 'name' | 'tag'>>()
  const path = (name: string, rest: string) => `${prefix}${name}/${rest}`
  const askAbout: AskAbout = (method, name, rest, request = {}) =>
    client.ask(method, path(name, rest), { repository: `${prefix}${name}`, ...request })
  const about = createRemoteReferrers(askAbout)

  async function read(name: string, reference: string): Promise<StoredManifest | undefined> {
    const response = await askAbout('GET', name, `manifests/${reference}`, { headers: { accept }, allowed: [404] })
    if (response.status === 404) return void (await response.body?.cancel())
    const bytes = Buffer.from(await response.arrayBuffer())
    const digest = digestOf(bytes)
    const wanted = reference.startsWith('sha256:') ? reference : (response.headers.get('docker-content-digest') ?? digest)
    if (wanted !== digest) throw new IngotError('image-corrupt', `manifest ${name}:${reference}: expected the digest ${wanted}, got ${digest} from the registry`)
    const facts = parseManifest(bytes, response.headers.get('content-type')?.split(';')[0])
    const storedAt = known.get(digest)?.storedAt ?? (await storedAtOf(name, facts))
    const entry = describe(facts, digest, bytes.length, storedAt)
    known.set(digest, entry)
    // The version is not the tag that was asked for but the one that stays.
    const isAlias = reference === 'latest' || reference.startsWith('sha256:')
    const tag = isAlias && isDisk(facts) ? await versionTagOf(name, digest) : isAlias ? undefined : reference
    return { name, ...(tag === undefined ? {} : { tag }), ...entry, bytes }
  }

  /** A registry does not tell when something came; a disk image tells when it was made. */
  async function storedAtOf(name: string, facts: ManifestFacts): Promise<string> {
    const config = isDisk(facts) ? facts.blobs[0] : undefined
    if (config !== undefined) return parseImageConfig(await readBlob(createRemoteBlobs(client, name), config.digest, config.sizeBytes)).builtAt
    return facts.annotations['org.opencontainers.image.created'] ?? new Date(0).toISOString()
  }

  const digestAt = async (name: string, tag: string): Promise<string | undefined> => {
    const response = await askAbout('HEAD', name, `manifests/${tag}`, { headers: { accept }, allowed: [404] })
    return response.status === 404 ? undefined : (response.headers.get('docker-content-digest') ?? undefined)
  }
  const versionTagOf = async (name: string, digest: string): Promise<string | undefined> => {
    const versions = (await tags(name)).filter(isVersionTag)
    const digests = await pMap(versions, (tag) => digestAt(name, tag), { concurrency: asksAtOnce })
    return versions.find((_, index) => digests[index] === digest)
  }

  const tags = async (name: string): Promise<string[]> =>
    (await readPages(path(name, 'tags/list?n=1000'), { repository: `${prefix}${name}`, allowed: [404] })).flatMap((page) => (page as { tags?: string[] | null }).tags ?? [])

  const names = async (): Promise<string[]> => {
    const all = (await readPages('_catalog?n=1000')).flatMap((page) => (page as { repositories?: string[] }).repositories ?? [])
    return all.flatMap((name) => (name.startsWith(prefix) ? [name.slice(prefix.length)] : []))
  }

  /** All pages of a list (RFC 8288); none where 404 is allowed and comes. */
  async function readPages(first: string, request: { repository?: string; allowed?: number[] } = {}): Promise<unknown[]> {
    const pages: unknown[] = []
    let next: string | URL | undefined = first
    while (next !== undefined) {
      const response: Response = await client.ask('GET', next, request)
      if (response.status === 404) return pages
      pages.push(await response.json())
      const link: string | undefined = /<([^>]+)>\s*;\s*rel="?next/.exec(response.headers.get('link') ?? '')?.[1]
      next = link === undefined ? undefined : new URL(link, response.url)
    }
    return pages
  }

  const putBytes = (name: string, reference: string, bytes: Uint8Array, mediaType: string): Promise<Response> =>
    askAbout('PUT', name, `manifests/${reference}`, { body: bytes as never, headers: { 'content-type': mediaType } })

  const removeManifest = async (name: string, digest: string): Promise<boolean> =>
    (await askAbout('DELETE', name, `manifests/${digest}`, { allowed: [404] })).status !== 404

  // The registry itself would let a tag move on: only one of us may look and put at a time.
  let turn: Promise<unknown> = Promise.resolve()
  const alone = <Result>(act: () => Promise<Result>): Promise<Result> => {
    const done = turn.then(act)
    turn = done.catch(() => {})
    return done
  }

  return {
    blobs: (name) => createRemoteBlobs(client, name),
    read,
    put: (name, { tag, bytes, facts }, { confirm = async () => {} } = {}) =>
      alone(async () => {
        const digest = digestOf(bytes)
        await confirm()
        const before = tag === undefined ? undefined : await read(name, tag)
        if (before !== undefined && before.digest !== digest && (isDisk(before) || isDisk(facts))) {
          throw new IngotError('image-exists', `${name}:${tag} exists as ${before.digest}; a version never changes, publish under another`)
        }
        const response = await putBytes(name, tag ?? digest, bytes, facts.mediaType)
        const storedAt = await storedAtOf(name, facts)
        const entry = describe(facts, digest, bytes.length, storedAt)
        if (facts.subject !== undefined && response.headers.get('oci-subject') === null) await about.enter(name, facts.subject, entry, facts)
        if (tag !== undefined && isDisk(facts)) await putBytes(name, 'latest', bytes, facts.mediaType)
        return { name, ...(tag === undefined ? {} : { tag }), ...entry }
      }),
    async remove(name, reference) {
      const digest = reference.startsWith('sha256:') ? reference : await digestAt(name, reference)
      if (digest === undefined) return false
      // First what is about it: once it is gone, nobody finds that any more.
      const tagged = await Promise.all(attachmentKinds.map((kind) => digestAt(name, attachmentTag(digest, kind))))
      const attached = new Set([...tagged.filter((each) => each !== undefined), ...(await about.digests(name, digest))])
      for (const each of attached) await removeManifest(name, each)
      const wasNewest = (await digestAt(name, 'latest')) === digest
      const isRemoved = await removeManifest(name, digest)
      const newest = wasNewest ? (await disksOf([name])).at(-1) : undefined
      if (newest !== undefined) await putBytes(name, 'latest', (await read(name, newest.digest))!.bytes, newest.mediaType)
      return isRemoved
    },
    tags,
    async referrers(name, digest) {
      const found = await pMap(await about.digests(name, digest), (each) => read(name, each), { concurrency: asksAtOnce })
      return found.filter((manifest) => manifest !== undefined)
    },
    names,
    disks: async () => disksOf(await names()),
    close: () => {},
  }

  /** The disk images of these names, oldest first. */
  async function disksOf(of: readonly string[]): Promise<(ManifestEntry & { tag: string })[]> {
    const all = await pMap(of, async (name) => (await tags(name)).map((tag) => ({ name, tag })), { concurrency: asksAtOnce })
    const versions = all.flat().filter(({ tag }) => isVersionTag(tag))
    const entries = await pMap(versions, ({ name, tag }) => entryAt(name, tag), { concurrency: asksAtOnce })
    const found = entries.flatMap((entry) => (entry !== undefined && isDisk(entry) ? [entry] : []))
    return found.sort((one, other) => Date.parse(one.storedAt) - Date.parse(other.storedAt))
  }

  /** What stands under a tag; a manifest that was read before is not read again. */
  async function entryAt(name: string, tag: string): Promise<(ManifestEntry & { tag: string }) | undefined> {
    const digest = await digestAt(name, tag)
    const entry = (digest === undefined ? undefined : known.get(digest)) ?? (await read(name, tag))
    return entry && { ...entry, name, tag }
  }
}

/** What is found by a tag about a manifest; without a kind the index of its referrers, where the registry does not list them itself. */
const attachmentKinds: readonly (AttachmentKind | undefined)[] = ['sig', 'att', 'sbom', undefined]

const isVersionTag = (tag: string): boolean => tag !== 'latest' && !isAttachmentTag(tag) && !isSnapshotTag(tag)

const describe = (facts: ManifestFacts, digest: string, sizeBytes: number, storedAt: string): Omit<ManifestEntry, 'name' | 'tag'> => ({
  mediaType: facts.mediaType,
  ...(facts.artifactType === undefined ? {} : { artifactType: facts.artifactType }),
  digest,
  sizeBytes,
  storedAt,
  ...(facts.subject === undefined ? {} : { subject: facts.subject }),
})
