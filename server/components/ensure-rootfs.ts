import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Type, type Static } from 'typebox'
import { Value } from 'typebox/value'
import type { Run } from '../../appliance/run.ts'
import { componentRefSchema, type ComponentRef } from '../../images/component.ts'
import type { RecipeBase } from '../../images/recipe.ts'
import { replaceFile } from '../durable-file.ts'
import { IngotError } from '../errors.ts'
import { buildRootfs, type RootfsFormat } from './build-rootfs.ts'
import type { ComponentStore } from './component-store.ts'
import { fetchReleases, releaseSchema, type Release } from './fetch-releases.ts'

/** Raised when `buildRootfs` makes something else of the same packages. */
const builderVersion = 1

const closed = { additionalProperties: false }

/** What was built of a definition last: `<directory>/<key>.json`. */
const recordSchema = Type.Object({ version: Type.Literal(1), releases: Type.Array(releaseSchema), component: componentRefSchema }, closed)

export interface WantedRootfs {
  base: RecipeBase
  format: RootfsFormat
}

/** A root filesystem that is in the store now, and why it was built or reused, in words for people. */
export interface EnsuredRootfs {
  component: ComponentRef
  reused: boolean
  reason: string
}

export interface EnsureRootfsOptions {
  /** Where the records stand, for example `<data>/components/rootfs`. */
  directory: string
  /** Base of the package archive, for example `http://127.0.0.1:8080/packages`. */
  packagesUrl: string
  store: ComponentStore
  run: Run
  fetch: typeof fetch
}

/** Throws `component-build` when mmdebstrap fails, `mirror-unreachable` when nothing was built yet and the archive does not answer. */
export type EnsureRootfs = (wanted: WantedRootfs, onProgress: (line: string) => void) => Promise<EnsuredRootfs>

/**
 * Has a root filesystem built once, and again only when its definition changed or Debian published something since.
 *
 * The key of a record is of the definition alone, so that it can be found without a network (F10); what Debian's archive said when it was
 * built, the digests of its InRelease files, stands inside. Where the archive cannot be asked, what was built last is right.
 */
export function createEnsureRootfs(options: EnsureRootfsOptions): EnsureRootfs {
  const running = new Map<string, Promise<EnsuredRootfs>>()
  return (wanted, onProgress) => {
    const key = keyOf(wanted)
    const current = running.get(key) ?? ensure(key, wanted, onProgress, options).finally(() => running.delete(key))
    running.set(key, current)
    return current
  }
}

const keyOf = ({ base: { suite, packages }, format }: WantedRootfs): string =>
  createHash('sha256').update(JSON.stringify([builderVersion, 'amd64', format, suite, [...packages].sort()])).digest('hex')

async function ensure(key: string, { base, format }: WantedRootfs, onProgress: (line: string) => void, options: EnsureRootfsOptions): Promise<EnsuredRootfs> {
  const { store, packagesUrl, run } = options
  const path = join(options.directory, `${key}.json`)
  const record = await readRecord(path)
  const usable = record !== undefined && (await store.verify(record.component))
  let releases: Release[]
  try {
    releases = await fetchReleases(base.suite, packagesUrl, options.fetch)
  } catch (error) {
    if (usable) return { component: record.component, reused: true, reason: `the package archive cannot be asked: ${(error as Error).message}` }
    throw new IngotError('mirror-unreachable', `a root filesystem must be built, and the package archive does not answer: ${(error as Error).message}`, { cause: error })
  }
  if (usable && sameReleases(record.releases, releases)) {
    return { component: record.component, reused: true, reason: 'neither its packages nor the archive changed' }
  }

  const epochSeconds = Math.max(...releases.map((release) => release.dateSeconds))
  const component = await buildRootfs({ base, format, packagesUrl, epochSeconds, run, store, onProgress })
  await replaceFile(path, `${JSON.stringify({ version: 1, releases, component } satisfies Static<typeof recordSchema>, null, 2)}\n`)
  return { component, reused: false, reason: record === undefined ? 'first build' : usable ? 'the archive changed' : 'the stored one is gone or damaged' }
}

async function readRecord(path: string): Promise<Static<typeof recordSchema> | undefined> {
  let text: string
  try {
    text = await readFile(path, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
  return Value.Parse(recordSchema, JSON.parse(text))
}

const sameReleases = (a: readonly Release[], b: readonly Release[]) => JSON.stringify(a) === JSON.stringify(b)
