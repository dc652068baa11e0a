import { IngotError } from '../errors.ts'
import { digestOfTag, isTagAbout } from './attachment-tag.ts'
import { isDisk } from './parse-manifest.ts'
import type { ManifestEntry } from './registry.ts'

/**
 * The index with one entry more. A tag moves on to it, and what the tag named stays, found by its digest; a manifest that gets a tag is no longer one
 * without. The same array when it is there already. Throws `IngotError` 'image-exists' when the tag is the version of a disk image.
 */
export function addEntry(entries: readonly ManifestEntry[], added: ManifestEntry): readonly ManifestEntry[] {
  const { name, tag, digest } = added
  const isOurs = (entry: ManifestEntry) => entry.name === name && entry.digest === digest
  if (entries.some((entry) => isOurs(entry) && (entry.tag === tag || tag === undefined))) return entries
  const before = tag === undefined ? undefined : entries.find((entry) => entry.name === name && entry.tag === tag)
  if (before !== undefined && (isDisk(before) || isDisk(added))) {
    throw new IngotError('image-exists', `${name}:${tag} exists as ${before.digest}; a version never changes, publish under another`)
  }
  const others = entries.filter((entry) => entry !== before && !(isOurs(entry) && entry.tag === undefined))
  return [...(before === undefined ? others : keepUntagged(others, before)), added]
}

/** Adds what has lost its tag, unless another tag names it. */
function keepUntagged(others: readonly ManifestEntry[], { tag: _, ...entry }: ManifestEntry): readonly ManifestEntry[] {
  return others.some(({ name, digest }) => name === entry.name && digest === entry.digest) ? others : [...others, entry]
}

/** The index without a tag, or without a manifest and all its tags; a tag that is a disk image's takes the image along. */
export function removeEntry(entries: readonly ManifestEntry[], name: string, reference: string): readonly ManifestEntry[] {
  const byTag = entries.find((entry) => entry.name === name && entry.tag === reference)
  if (byTag === undefined) return entries.filter((entry) => entry.name !== name || entry.digest !== reference)
  const others = entries.filter((entry) => entry !== byTag)
  return isDisk(byTag) ? others : keepUntagged(others, byTag)
}

/**
 * The index without what only the removed manifests needed: their parts and their referrers, and theirs in turn, as far as they
 * have no tag of their own. `partsOf` tells the manifests that an index is made of.
 */
export async function dropDangling(
  entries: readonly ManifestEntry[],
  removed: readonly ManifestEntry[],
  partsOf: (entry: ManifestEntry) => Promise<readonly string[]>,
): Promise<readonly ManifestEntry[]> {
  // A manifest may lose one of its names only.
  const here = ({ name, digest }: { name: string; digest: string }) => entries.some((entry) => entry.name === name && entry.digest === digest)
  const gone = removed.filter((entry) => !here(entry))
  if (gone.length === 0) return entries
  const names = new Set(gone.map(({ name }) => name))
  const parts = async (of: readonly ManifestEntry[]) => new Set((await Promise.all(of.map(async (entry) => (await partsOf(entry)).map((digest) => `${entry.name}@${digest}`)))).flat())
  const orphaned = await parts(gone)
  const needed = await parts(entries.filter(({ name }) => names.has(name)))
  const dangling = entries.filter(({ name, tag, digest, subject }) => {
    if (needed.has(`${name}@${digest}`)) return false
    const isAbout = gone.some((entry) => entry.name === name && (tag === undefined ? entry.digest === subject : isTagAbout(tag, entry.digest)))
    return isAbout || (tag === undefined && orphaned.has(`${name}@${digest}`))
  })
  return dropDangling(entries.filter((entry) => !dangling.includes(entry)), dangling, partsOf)
}

/** What is about a manifest that is not under the same name: its image was never finished, or went without it. */
export const findForsaken = (entries: readonly ManifestEntry[]): ManifestEntry[] => {
  const here = new Set(entries.map(({ name, digest }) => `${name}@${digest}`))
  return entries.filter(({ name, tag, subject }) => {
    const about = subject ?? (tag === undefined ? undefined : digestOfTag(tag))
    return about !== undefined && !here.has(`${name}@${about}`)
  })
}
