import { IngotError } from '../errors.ts'
import type { BlobFile, BlobFiles } from './blob-files.ts'
import { parseManifest } from './parse-manifest.ts'
import { readBlob } from './read-blob.ts'
import type { ManifestEntry } from './registry.ts'

/** What garbage collection found, in blobs and bytes. */
export interface GarbageReport {
  /** Needed by a manifest. */
  used: { blobs: number; bytes: number }
  /** Needed by none, but new: an image that needs them may be on its way. */
  recent: { blobs: number; bytes: number }
  /** Needed by none; removed, unless it was a dry run. */
  removed: { blobs: number; bytes: number }
  dryRun: boolean
}

export interface GarbageOptions {
  files: BlobFiles
  entries: readonly ManifestEntry[]
  /** Blobs that were sent, or asked for by someone who then did not send them, at this moment or later stay. */
  keepSince: Date
  dryRun?: boolean
}

/**
 * Marks what the manifests need and removes the rest. Nobody may enter a manifest meanwhile. A crash leaves garbage for the next time, nothing else.
 * Throws `IngotError` 'image-corrupt' before anything is removed when a manifest cannot be read: what it needs cannot be told.
 */
export async function collectGarbage({ files, entries, keepSince, dryRun = false }: GarbageOptions): Promise<GarbageReport> {
  const used = await markUsed(files, entries)
  const blobs = await files.list()
  const isRecent = ({ keptAtMs }: BlobFile) => keptAtMs >= keepSince.getTime()
  const unused = blobs.filter(({ digest }) => !used.has(digest))
  const garbage = unused.filter((blob) => !isRecent(blob))
  if (!dryRun) for (const { digest } of garbage) await files.remove(digest)
  return {
    used: sum(blobs.filter(({ digest }) => used.has(digest))),
    recent: sum(unused.filter(isRecent)),
    removed: sum(garbage),
    dryRun,
  }
}

const sum = (blobs: readonly BlobFile[]) => ({ blobs: blobs.length, bytes: blobs.reduce((bytes, { sizeBytes }) => bytes + sizeBytes, 0) })

/** The digests of all that the entries need, the manifests themselves among them. The parts of an index have entries of their own. */
async function markUsed(files: BlobFiles, entries: readonly ManifestEntry[]): Promise<ReadonlySet<string>> {
  const used = new Set<string>()
  for (const { name, tag, digest, sizeBytes } of entries) {
    if (used.has(digest)) continue
    const manifest = await readBlob(files, digest, sizeBytes).then(parseManifest).catch((error: unknown) => {
      const title = `${name}${tag === undefined ? '@' : `:${tag}@`}${digest}`
      throw new IngotError('image-corrupt', `the manifest of ${title} cannot be read, so nothing is removed; \`ingot image fsck\` tells what to do`, { cause: error })
    })
    used.add(digest)
    for (const blob of manifest.blobs) used.add(blob.digest)
  }
  return used
}
