import { access } from 'node:fs/promises'
import { join } from 'node:path'
import { dropAbandoned, replaceFile } from '../durable-file.ts'
import { IngotError } from '../errors.ts'
import { createDirectoryLock, type DirectoryLock } from '../directory-lock.ts'
import { makeLayoutFolders, openBlobFiles, type BlobFiles } from './blob-files.ts'
import { collectGarbage, type GarbageReport } from './collect-garbage.ts'
import { digestOf } from './digest.ts'
import { readIndex, writeIndex } from './image-index.ts'
import { addEntry, dropDangling, findForsaken, removeEntry } from './layout-changes.ts'
import { isDisk, isIndex, parseManifest, type ManifestFacts } from './parse-manifest.ts'
import { readBlob } from './read-blob.ts'
import type { ManifestEntry, Registry } from './registry.ts'

/** A registry in one folder. A blob is found by its digest under any name: images share what they have in common. */
export interface LayoutRegistry extends Registry {
  readonly files: BlobFiles
  entries(): Promise<ManifestEntry[]>
  /** Takes away those manifests without a tag that `isOver` picks, with their referrers, and returns them. */
  removeUntagged(isOver: (entry: ManifestEntry) => boolean): Promise<ManifestEntry[]>
  /**
   * Removes the blobs that no manifest needs and that were neither sent nor asked for since `keepSince`, or with `dryRun` only tells them; and before them
   * what came earlier than that and is about a manifest that is not here.
   * Throws `IngotError` 'image-corrupt' when it cannot tell what is needed; then nothing is removed.
   */
  collectGarbage(options: { keepSince: Date; dryRun?: boolean }): Promise<GarbageReport>
}

/**
 * Opens an OCI image layout (OCI image-spec 1.1, image-layout.md), making it as needed. Several processes may use it at once: the index is changed, and
 * blobs are removed, by one at a time under a lock; a manifest is entered only if, under that lock, all that it names is there. So no crash and no
 * order of events makes an image visible whose blobs are not there.
 */
export async function openLayoutRegistry(directory: string, { now = () => new Date() }: { now?: () => Date } = {}): Promise<LayoutRegistry> {
  await makeLayoutFolders(directory)
  await dropAbandoned(directory)
  const layoutFile = join(directory, 'oci-layout')
  await access(layoutFile).catch(() => replaceFile(layoutFile, '{"imageLayoutVersion":"1.0.0"}\n'))
  await readIndex(directory)
  const files = openBlobFiles(directory)

  let lock: DirectoryLock | undefined
  let turn: Promise<unknown> = Promise.resolve()
  /** One at a time: in this process by turns, among processes by the lock. */
  const alone = <Result>(act: () => Promise<Result>): Promise<Result> => {
    lock ??= createDirectoryLock(join(directory, 'lock'), async () => {})
    const held = lock
    const done = turn.then(() => held.hold(act))
    turn = done.catch(() => {})
    return done
  }

  const readBytes = ({ digest, sizeBytes }: { digest: string; sizeBytes: number }) => readBlob(files, digest, sizeBytes)
  const partsOf = async (entry: ManifestEntry): Promise<string[]> => {
    if (!isIndex(entry)) return []
    // A damaged index takes no parts along: they stay until they are removed themselves.
    const facts = await readBytes(entry).then(parseManifest, () => undefined)
    return facts?.parts.map(({ digest }) => digest) ?? []
  }

  async function requireAll(name: string, { blobs, parts }: ManifestFacts, entries: readonly ManifestEntry[]): Promise<void> {
    for (const { digest, sizeBytes } of blobs) {
      const found = await files.size(digest)
      if (found === undefined) throw new IngotError('blob-unknown', `blob ${digest} is not in the store`)
      if (found !== sizeBytes) throw new IngotError('image-invalid', `blob ${digest}: expected the declared size ${sizeBytes}, got ${found}`)
    }
    for (const { digest } of parts) {
      if (!entries.some((entry) => entry.name === name && entry.digest === digest)) throw new IngotError('blob-unknown', `manifest ${digest} is not in ${name}`)
    }
  }

  return {
    files,
    blobs: () => files,
    entries: () => readIndex(directory),
    async read(name, reference) {
      const entries = (await readIndex(directory)).filter((entry) => entry.name === name)
      const newest = reference === 'latest' ? entries.findLast((entry) => entry.tag !== undefined && isDisk(entry)) : undefined
      const entry = newest ?? entries.findLast(({ tag, digest }) => tag === reference || digest === reference)
      return entry === undefined ? undefined : { ...entry, bytes: await readBytes(entry) }
    },
    async put(name, { tag, bytes, facts }, { confirm = async () => {} } = {}) {
      const digest = digestOf(bytes)
      await files.write(digest, [bytes])
      return alone(async () => {
        await confirm()
        const entries = await readIndex(directory)
        const { mediaType, artifactType, subject } = facts
        const changed = addEntry(entries, {
          name,
          ...(tag === undefined ? {} : { tag }),
          mediaType,
          ...(artifactType === undefined ? {} : { artifactType }),
          digest,
          sizeBytes: bytes.length,
          storedAt: now().toISOString(),
          ...(subject === undefined ? {} : { subject }),
        })
        if (changed !== entries) {
          await requireAll(name, { ...facts, blobs: [{ digest, sizeBytes: bytes.length }, ...facts.blobs] }, entries)
          await writeIndex(directory, changed)
        }
        return changed.find((entry) => entry.name === name && entry.digest === digest && (tag === undefined || entry.tag === tag))!
      })
    },
    remove: (name, reference) =>
      alone(async () => {
        const entries = await readIndex(directory)
        const left = removeEntry(entries, name, reference)
        const removed = entries.filter((entry) => !left.includes(entry))
        if (removed.length === 0) return false
        await writeIndex(directory, await dropDangling(left, removed, partsOf))
        return true
      }),
    removeUntagged: (isOver) =>
      alone(async () => {
        const entries = await readIndex(directory)
        const removed = entries.filter((entry) => entry.tag === undefined && isOver(entry))
        if (removed.length === 0) return []
        await writeIndex(directory, await dropDangling(entries.filter((entry) => !removed.includes(entry)), removed, partsOf))
        return removed
      }),
    tags: async (name) => (await readIndex(directory)).flatMap((entry) => (entry.name === name && entry.tag !== undefined ? [entry.tag] : [])),
    async referrers(name, digest) {
      const entries = (await readIndex(directory)).filter((entry) => entry.name === name && entry.subject === digest)
      const each = [...new Map(entries.map((entry) => [entry.digest, entry])).values()]
      return Promise.all(each.map(async (entry) => ({ ...entry, bytes: await readBytes(entry) })))
    },
    names: async () => [...new Set((await readIndex(directory)).map(({ name }) => name))].sort(),
    disks: async () => (await readIndex(directory)).flatMap((entry) => (isDisk(entry) && entry.tag !== undefined ? [{ ...entry, tag: entry.tag }] : [])),
    collectGarbage: (options) =>
      alone(async () => {
        const all = await readIndex(directory)
        // What is about an image may come before it.
        const forsaken = findForsaken(all).filter(({ storedAt }) => Date.parse(storedAt) < options.keepSince.getTime())
        const entries = await dropDangling(all.filter((entry) => !forsaken.includes(entry)), forsaken, partsOf)
        if (forsaken.length > 0 && options.dryRun !== true) await writeIndex(directory, entries)
        return collectGarbage({ ...options, files, entries })
      }),
    close: () => lock?.close(),
  }
}
