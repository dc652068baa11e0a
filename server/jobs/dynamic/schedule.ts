import type { JobMaker } from './job-maker.ts'
import { choicesOf, type ListRule } from './list-rule.ts'
import { cronOf, latestMoment } from './moments.ts'

/** The id of a schedule's job, for example `nightly-20261124-0200`: the moment in UTC, so that every server that shares a list calls it the same. */
const idOf = (name: string, momentMs: number): string => `${name}-${new Date(momentMs).toISOString().slice(0, 16).replaceAll(/[-:]/g, '').replace('T', '-')}`

/** A rule with `cron`, checked by `faultsOfListRules`. */
export type ScheduleRule = ListRule & { name: string; cron: string }
export const isSchedule = (rule: ListRule): rule is ScheduleRule => rule.cron !== undefined && rule.name !== undefined

export interface Schedule {
  /** Makes the job of the latest moment that came since it was last asked, if one came; one that cannot be made is tried again until the next comes. */
  run(): Promise<void>
  /** When the next moment comes, in milliseconds since 1970. */
  nextMs(): number
}

/**
 * A schedule as the clock `now` sees it. What was missed while the server did not run is not made up for. Moments missed while it ran, because the
 * host slept or its clock was set forward, make one job, of the latest. When the clock is set back, a moment that comes again makes no second job,
 * because that job's id is known already.
 */
export function createSchedule({ rule, maker, now }: { rule: ScheduleRule; maker: JobMaker; now: () => number }): Schedule {
  const cron = cronOf(rule.cron, rule.timeZone)
  let since = now()
  let due: number | undefined
  return {
    async run() {
      const at = now()
      due = latestMoment(cron, Math.min(since, at), at) ?? due
      since = at
      if (due === undefined) return
      const job = { ...choicesOf(rule), id: idOf(rule.name, due), recipe: rule.recipe, madeBy: `schedule:${rule.name}`, createdAt: new Date(at).toISOString() }
      if ((await maker.make(job)) !== 'failed') due = undefined
    },
    nextMs: () => cron.nextRun(new Date(now()))?.getTime() ?? Infinity,
  }
}
