import { access, readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import pMap from 'p-map'
import { IngotError } from '../errors.ts'
import { openBlobFiles, type BlobFiles } from './blob-files.ts'
import { hashFile } from './hash-file.ts'
import { readIndex } from './image-index.ts'
import { findForsaken } from './layout-changes.ts'
import { parseImageConfig, parseImageManifest } from './parse-image.ts'
import { isDisk, parseManifest } from './parse-manifest.ts'
import { checkLayers, planLayers } from './plan-layers.ts'
import { readBlob } from './read-blob.ts'
import type { ManifestEntry } from './registry.ts'

/** A blob that does not have its digest any more. */
export interface DamagedBlob {
  digest: string
  /** Digest of what is there now. */
  got: string
  sizeBytes: number
  /** Whether it was put into `corrupt/`. */
  setAside: boolean
}

/** A manifest under one of its names, and what is wrong with it; whole when nothing is. */
export interface CheckedManifest {
  name: string
  /** Tag, or digest of one without. */
  reference: string
  digest: string
  isDisk: boolean
  problems: string[]
}

/** What a look through a whole store found. */
export interface StoreReport {
  blobs: { count: number; bytes: number }
  /** Blobs that no manifest needs; garbage collection takes them. */
  orphans: { count: number; bytes: number }
  damaged: DamagedBlob[]
  manifests: CheckedManifest[]
  /** Signatures and the like whose image is not here; garbage collection takes them too. */
  forsaken: number
  /** Faults of the layout itself: its marker, its index, files that are no blobs. */
  problems: string[]
  /** Nothing is damaged and nothing is missing. */
  whole: boolean
}

export interface CheckOptions {
  /** Puts damaged blobs aside, so that the next push sends them again. */
  repair?: boolean
  signal?: AbortSignal
  onProgress?: (doneBytes: number, totalBytes: number) => void
}

/** Files that are hashed at once: reading and hashing overlap. */
const filesAtOnce = 2

/**
 * Reads every blob of an image layout through, and measures index and manifests against them. It may run beside a server: a blob that comes or goes
 * meanwhile is no damage. Throws `IngotError` 'data-invalid' when there is no layout.
 */
export async function checkStore(directory: string, { repair = false, signal, onProgress }: CheckOptions = {}): Promise<StoreReport> {
  const problems: string[] = []
  await access(join(directory, 'blobs', 'sha256')).catch(() => {
    throw new IngotError('data-invalid', `${directory}: expected an OCI image layout, got none`)
  })
  const marker = await readFile(join(directory, 'oci-layout'), 'utf8').catch(() => '')
  if (!marker.includes('"imageLayoutVersion"')) problems.push('oci-layout: expected {"imageLayoutVersion":"1.0.0"}, got something else; a server that starts writes it anew if it is missing')
  const strange = (await readdir(join(directory, 'blobs', 'sha256'))).filter((name) => !/^[0-9a-f]{64}$/.test(name))
  problems.push(...strange.map((name) => `blobs/sha256/${name}: expected nothing but blobs, got a file that is none`))
  const files = openBlobFiles(directory)
  const blobs = await files.list()
  const damaged: DamagedBlob[] = []
  const totalBytes = blobs.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0)
  let doneBytes = 0
  const check = async ({ digest, sizeBytes }: (typeof blobs)[number]) => {
    const got = await hashFile(files.path(digest)).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return undefined
      throw error
    })
    if (got !== undefined && got.digest !== digest) {
      if (repair) await files.quarantine(digest)
      damaged.push({ digest, got: got.digest, sizeBytes: got.sizeBytes, setAside: repair })
    }
    onProgress?.((doneBytes += sizeBytes), totalBytes)
  }
  await pMap(blobs, check, { concurrency: filesAtOnce, ...(signal === undefined ? {} : { signal }) })

  // Read after the blobs: a version that was removed meanwhile lacks nothing.
  const entries = await readIndex(directory).catch((error: unknown) => {
    if (!(error instanceof IngotError)) throw error
    problems.push(error.message, ...error.problems)
    return undefined
  })
  const bad = new Set(damaged.map(({ digest }) => digest))
  const manifests: CheckedManifest[] = []
  const needed = new Set<string>()
  for (const entry of entries ?? []) manifests.push(await checkManifest(entry, { files, bad, needed, entries: entries ?? [] }))
  // Without an index nobody can tell what is needed.
  const orphans = entries === undefined ? [] : blobs.filter(({ digest }) => !needed.has(digest) && !bad.has(digest))
  return {
    blobs: { count: blobs.length, bytes: totalBytes },
    orphans: { count: orphans.length, bytes: orphans.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0) },
    damaged,
    manifests,
    forsaken: findForsaken(entries ?? []).length,
    problems,
    whole: problems.length === 0 && damaged.length === 0 && manifests.every((each) => each.problems.length === 0),
  }
}

interface Surroundings {
  files: BlobFiles
  bad: ReadonlySet<string>
  /** Gets what the manifest needs. */
  needed: Set<string>
  entries: readonly ManifestEntry[]
}

async function checkManifest(entry: ManifestEntry, { files, bad, needed, entries }: Surroundings): Promise<CheckedManifest> {
  const { name, tag, digest } = entry
  const checked: CheckedManifest = { name, reference: tag ?? digest, digest, isDisk: isDisk(entry), problems: [] }
  const { problems } = checked
  needed.add(digest)
  const stateOf = async (blob: string, sizeBytes: number): Promise<string | undefined> => {
    if (bad.has(blob)) return 'damaged'
    const found = await files.size(blob)
    if (found === undefined) return 'missing'
    return found === sizeBytes ? undefined : `of ${found} bytes and not of ${sizeBytes}`
  }
  const state = await stateOf(digest, entry.sizeBytes)
  if (state !== undefined) {
    problems.push(`its manifest ${digest} is ${state}`)
    return checked
  }
  try {
    const bytes = await readBlob(files, digest, entry.sizeBytes)
    const { blobs, parts } = parseManifest(bytes)
    for (const blob of blobs) {
      needed.add(blob.digest)
      const problem = await stateOf(blob.digest, blob.sizeBytes)
      if (problem !== undefined) problems.push(`blob ${blob.digest} is ${problem}`)
    }
    for (const part of parts) if (!entries.some((each) => each.name === name && each.digest === part.digest)) problems.push(`manifest ${part.digest} is missing`)
    if (checked.isDisk && problems.length === 0) {
      const manifest = parseImageManifest(bytes)
      checkLayers(planLayers(manifest), parseImageConfig(await readBlob(files, manifest.config.digest, manifest.config.size)))
    }
  } catch (error) {
    if (!(error instanceof IngotError)) throw error
    problems.push(error.message, ...error.problems.slice(1))
  }
  return checked
}
