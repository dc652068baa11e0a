import type { ManifestEntry } from './registry.ts'

/** So many snapshots stay for each image, those that were used last: one for each branch of a recipe that people build in turn. */
const snapshotsKept = 3

export interface UsedSnapshot extends ManifestEntry {
  /** When it came, or was last started from; milliseconds since 1970. */
  usedAtMs: number
}

/**
 * The snapshots whose time is over: all but the last few of each image, those that were used since `sinceMs`, and those that a job on the list may start
 * from, by their tags. One that has lost its tag to a newer one is found by nobody.
 */
export function planSnapshotRetention(snapshots: readonly UsedSnapshot[], { needed, sinceMs }: { needed: ReadonlySet<string>; sinceMs: number }): UsedSnapshot[] {
  const seen = new Map<string, number>()
  return snapshots
    .toSorted((one, other) => other.usedAtMs - one.usedAtMs)
    .filter(({ name, tag, usedAtMs }) => {
      if (tag === undefined) return usedAtMs < sinceMs
      const newer = seen.get(name) ?? 0
      seen.set(name, newer + 1)
      return newer >= snapshotsKept && usedAtMs < sinceMs && !needed.has(tag)
    })
}
