import type { Response } from 'undici'
import { attachmentTag } from './attachment-tag.ts'
import type { ManifestFacts } from './parse-manifest.ts'
import type { RegistryRequest } from './registry-client.ts'
import type { ManifestEntry } from './registry.ts'

export const indexType = 'application/vnd.oci.image.index.v1+json'

/** What is about a manifest, in another registry: as it tells itself, or where it does not know referrers, under a tag that its clients keep. */
export interface RemoteReferrers {
  /** Digests of the manifests about this one. */
  digests(name: string, digest: string): Promise<string[]>
  /** Enters a manifest that was put and that the registry itself has not entered. One at a time. */
  enter(name: string, subject: string, entry: Omit<ManifestEntry, 'name'>, facts: ManifestFacts): Promise<void>
}

/** Asks for what is below a name. */
export type AskAbout = (method: string, name: string, rest: string, request?: RegistryRequest) => Promise<Response>

/** OCI distribution-spec 1.1, "Listing Referrers" and "Referrers Tag Schema". */
export function createRemoteReferrers(askAbout: AskAbout): RemoteReferrers {
  type Listed = { digest?: unknown }
  const listAt = async (name: string, rest: string): Promise<Listed[] | undefined> => {
    const response = await askAbout('GET', name, rest, { headers: { accept: indexType }, allowed: [404] })
    if (response.status === 404) return void (await response.body?.cancel())
    return ((await response.json()) as { manifests: Listed[] }).manifests
  }
  const listByTag = async (name: string, digest: string) => (await listAt(name, `manifests/${attachmentTag(digest)}`)) ?? []

  return {
    async digests(name, digest) {
      const listed = (await listAt(name, `referrers/${digest}`)) ?? (await listByTag(name, digest))
      return listed.map((each) => String(each.digest))
    },
    async enter(name, subject, { mediaType, artifactType, digest, sizeBytes }, { annotations }) {
      const others = (await listByTag(name, subject)).filter((each) => each.digest !== digest)
      const added = { mediaType, digest, size: sizeBytes, ...(artifactType === undefined ? {} : { artifactType }), annotations }
      const index = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: indexType, manifests: [...others, added] }))
      await askAbout('PUT', name, `manifests/${attachmentTag(subject)}`, { body: index, headers: { 'content-type': indexType } })
    },
  }
}
