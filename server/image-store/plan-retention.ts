import type { ImageVersion } from './open-image-store.ts'

/**
 * How many versions of an image stay: those among the `count` newest and those younger than `days`. What is absent keeps nothing by itself; the newest
 * always stays. Without a rule every version stays.
 */
export interface Keep {
  count?: number
  days?: number
}

/** The rule for images in general, and those for single ones, by name, which stand in its place. */
export interface KeepRules {
  keep?: Keep
  names?: Readonly<Record<string, { keep: Keep }>>
}

const dayMs = 24 * 60 * 60 * 1000

/** The versions whose time is over, oldest first. `versions` are oldest first. */
export function planRetention(versions: readonly ImageVersion[], rules: KeepRules, now: Date): ImageVersion[] {
  const newerCount = new Map<string, number>()
  const over = versions.toReversed().filter(({ name, publishedAt }) => {
    const newer = newerCount.get(name) ?? 0
    newerCount.set(name, newer + 1)
    const rule = rules.names?.[name]?.keep ?? rules.keep
    if (rule === undefined || newer === 0) return false
    const { count = 0, days = 0 } = rule
    return newer >= count && now.getTime() - Date.parse(publishedAt) >= days * dayMs
  })
  return over.reverse()
}
