import { spreadOf, type Spread } from '../statistics.ts'
import type { ConsoleBenchOptions, ConsoleRound, PageTimes } from './options.ts'

export const times = ['rackMs', 'jobsMs', 'updateMs'] as const satisfies readonly (keyof PageTimes)[]

/** What `bench console --json` prints: milliseconds, and the console as a multiple of the plain page. */
export interface ConsoleReport extends Pick<ConsoleBenchOptions, 'machines' | 'jobs' | 'rounds'> {
  console: Record<keyof PageTimes, Spread>
  plain: Record<keyof PageTimes, Spread>
  ratio: Record<keyof PageTimes, Spread>
}

export function summarise({ machines, jobs }: ConsoleBenchOptions, rounds: readonly ConsoleRound[]): ConsoleReport {
  const each = (pick: (round: ConsoleRound, time: keyof PageTimes) => number) =>
    Object.fromEntries(times.map((time) => [time, spreadOf(rounds.map((round) => pick(round, time)))])) as Record<keyof PageTimes, Spread>
  return {
    machines,
    jobs,
    rounds: rounds.length,
    console: each((round, time) => round.console[time]),
    plain: each((round, time) => round.plain[time]),
    ratio: each((round, time) => round.console[time] / round.plain[time]),
  }
}
