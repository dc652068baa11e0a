import { digestOfTag } from '../attachment-tag.ts'
import { parseManifest } from '../parse-manifest.ts'
import type { Registry, StoredManifest } from '../registry.ts'

/**
 * All that is about a manifest, by reference or by a tag that tools make for it, and about that in turn, as the signature of a bill of materials; with the
 * parts of those that are lists. Each once, in the order of their digests, what is referred to before what refers.
 */
export async function collectReferrers(registry: Registry, name: string, digest: string): Promise<StoredManifest[]> {
  // Tags for the index of all referrers are left out: whoever takes the referrers in makes one, if it needs one.
  const tags = (await registry.tags(name)).filter((tag) => digestOfTag(tag) !== undefined && tag.includes('.'))
  const found = new Map<string, StoredManifest>()
  const collect = async (subject: string): Promise<void> => {
    const tagged = await Promise.all(tags.filter((tag) => digestOfTag(tag) === subject).map((tag) => registry.read(name, tag)))
    // Those with a tag come last, so that it is kept.
    const all = new Map([...(await registry.referrers(name, subject)), ...tagged].flatMap((each) => (each === undefined ? [] : [[each.digest, each]])))
    for (const referrer of [...all.values()].toSorted((one, other) => (one.digest < other.digest ? -1 : 1))) {
      if (found.has(referrer.digest)) continue
      for (const part of parseManifest(referrer.bytes).parts) {
        const stored = await registry.read(name, part.digest)
        if (stored !== undefined) found.set(stored.digest, stored)
      }
      found.set(referrer.digest, referrer)
      await collect(referrer.digest)
    }
  }
  await collect(digest)
  return [...found.values()]
}
