import { Cron } from 'croner'

/** A cron expression, read but not started. Throws what is wrong with it. `timeZone`: default that of this host. */
export function cronOf(expression: string, timeZone: string | undefined): Cron {
  // croner takes a date as well, which is no schedule.
  if (!/^(@\w+|\S+( +\S+){4})$/.test(expression.trim())) throw new Error('expected five fields')
  return new Cron(expression.trim(), { paused: true, mode: '5-part', ...(timeZone === undefined ? {} : { timezone: timeZone }) })
}

/**
 * The latest moment of a schedule after `afterMs` and up to `nowMs`, in milliseconds since 1970. One at most, however long the time between: after
 * a sleep of the host or a step of its clock a schedule does not make up for each moment that it missed.
 */
export function latestMoment(cron: Cron, afterMs: number, nowMs: number): number | undefined {
  // `previousRuns` counts only what lies before its reference.
  const latest = cron.previousRuns(1, new Date(nowMs + 1))[0]?.getTime()
  return latest === undefined || latest <= afterMs ? undefined : latest
}
