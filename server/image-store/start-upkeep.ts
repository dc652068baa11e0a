import type { Logger } from 'pino'
import { IngotError } from '../errors.ts'
import type { LayoutRegistry } from './layout-registry.ts'
import type { ImageStore, ImageVersion } from './open-image-store.ts'
import { isDisk, isSnapshot } from './parse-manifest.ts'
import { planRetention, type KeepRules } from './plan-retention.ts'
import type { ManifestEntry } from './registry.ts'
import { planSnapshotRetention } from './plan-snapshot-retention.ts'

/** What nobody asked for in this time counts as left behind: blobs without an image, and a version as far as pulling it goes. */
export const graceMs = 24 * 60 * 60 * 1000

export interface UpkeepOptions {
  store: ImageStore & { registry: LayoutRegistry }
  rules: KeepRules
  /** Since when the oldest upload under way may have counted on blobs; asked each time, for jobs that take longer than a day. Default none is. */
  oldestUpload?: () => Promise<Date | undefined>
  /** Tags of the snapshots that jobs may start from; asked each time. Default none. */
  neededSnapshots?: () => Promise<ReadonlySet<string>>
  /** Digests of images that were received and wait for their proof; asked each time. Default none. */
  provingDigests?: () => Promise<ReadonlySet<string>>
  now?: () => Date
  /** How often all is looked through, default daily. */
  everyMs?: number
  /** How long after the start for the first time, default a minute. */
  firstMs?: number
  log?: Logger
}

/** Keeps the store of images from growing without end. */
export interface Upkeep {
  /** Takes the versions whose time is over off, and what nothing needs. One run at a time: asked during one, another follows. */
  run(options?: { thorough?: boolean }): Promise<void>
  close(): Promise<void>
}

/**
 * Looks through the store daily and whenever it is asked to: retention, abandoned uploads, garbage. A version that is the newest of its name, in use
 * (`ImageStore.remove`) or was pulled within a day stays.
 */
export function startUpkeep({ store, rules, oldestUpload = async () => undefined, neededSnapshots = async () => new Set(), provingDigests = async () => new Set(), now = () => new Date(), everyMs = graceMs, firstMs = 60_000, log }: UpkeepOptions): Upkeep {
  const { registry } = store
  const sinceGrace = () => new Date(now().getTime() - graceMs)

  const isPulled = async ({ digest }: ImageVersion): Promise<boolean> => ((await registry.files.find(digest))?.keptAtMs ?? 0) >= sinceGrace().getTime()

  async function retire(): Promise<number> {
    let retired = 0
    for (const version of planRetention(await store.list(), rules, now())) {
      if (await isPulled(version)) continue
      try {
        await store.remove(version.name, version.version)
        retired++
        log?.info({ image: version.name, version: version.version, publishedAt: version.publishedAt }, 'an old version was removed')
      } catch (error) {
        if (!(error instanceof IngotError) || (error.code !== 'image-in-use' && error.code !== 'image-unknown')) throw error
        log?.info({ image: version.name, version: version.version, reason: error.message }, 'an old version stays')
      }
    }
    return retired
  }

  async function retireSnapshots(): Promise<void> {
    const entries = (await registry.entries()).filter(isSnapshot)
    if (entries.length === 0) return
    const snapshots = await Promise.all(
      entries.map(async (entry) => ({ ...entry, usedAtMs: (await registry.files.find(entry.digest))?.keptAtMs ?? Date.parse(entry.storedAt) })),
    )
    for (const { name, digest } of planSnapshotRetention(snapshots, { needed: await neededSnapshots(), sinceMs: sinceGrace().getTime() })) {
      await registry.remove(name, digest)
      log?.info({ image: name, digest }, 'what was kept of the first steps of a recipe was removed')
    }
  }

  /** Images that did not prove good never got a tag. For a day they can be looked into, by their digest. */
  async function dropUnproven(): Promise<void> {
    const proving = await provingDigests()
    const isOver = (entry: ManifestEntry): boolean => isDisk(entry) && Date.parse(entry.storedAt) < sinceGrace().getTime() && !proving.has(entry.digest)
    for (const { name, digest } of await registry.removeUntagged(isOver)) log?.info({ image: name, digest }, 'an image that was not proven was removed')
  }

  async function look(thorough: boolean): Promise<void> {
    const retired = await retire()
    if (!thorough && retired === 0) return
    await retireSnapshots()
    await dropUnproven()
    await store.uploads.dropAbandoned()
    const oldest = await oldestUpload()
    const keepSince = new Date(Math.min(sinceGrace().getTime(), oldest?.getTime() ?? Infinity))
    const { removed, used } = await registry.collectGarbage({ keepSince })
    if (removed.blobs > 0) log?.info({ removed, used }, 'garbage was collected')
  }

  let last: Promise<void> = Promise.resolve()
  let waiting: { thorough: boolean; done: Promise<void> } | undefined
  const run = ({ thorough = true } = {}): Promise<void> => {
    if (waiting !== undefined) {
      waiting.thorough ||= thorough
      return waiting.done
    }
    const mine = { thorough, done: Promise.resolve() }
    waiting = mine
    mine.done = last.then(() => {
      waiting = undefined
      return look(mine.thorough)
    })
    last = mine.done.catch((error: unknown) => log?.error({ err: error }, 'the images cannot be looked through'))
    return mine.done
  }

  const runLogged = () => void run().catch(() => {})
  const first = setTimeout(runLogged, firstMs)
  const timer = setInterval(runLogged, everyMs)
  first.unref()
  timer.unref()
  return {
    run,
    async close() {
      clearTimeout(first)
      clearInterval(timer)
      await last
    },
  }
}
