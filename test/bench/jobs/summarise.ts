import { percentileOf, spreadOf, type Spread } from '../statistics.ts'
import type { Claims, JobsOptions } from './options.ts'

export const sides = ['files', 'postgres', 'bare'] as const
export type Side = (typeof sides)[number]

/** The same measured on each side, one right after the other, so that all meet the same load of this host. */
export type Round = Record<Side, Claims>

/** A claim on a list of 100 jobs and on one of 100,000, one right after the other. */
export interface LengthRound {
  short: Claims
  long: Claims
}

export interface SideSummary {
  claimsPerSecond: Spread
  /** Milliseconds, over all rounds. */
  askAndClaimMs: { p50: number; p99: number }
  claimMs: { p50: number; p99: number }
  /** Claims that somebody else was faster with, for each that was made. */
  refusedShare: number
}

/** What `bench jobs --json` prints. */
export interface JobsReport extends Pick<JobsOptions, 'workers' | 'jobs' | 'rounds'> {
  sides: Record<Side, SideSummary>
  /** Claims a second as a multiple of those of the bare queue. */
  toBare: Record<'files' | 'postgres', Spread>
  /** What a claim costs on a list of 100,000 jobs, as a multiple of what it costs on one of 100. */
  length: Record<'files' | 'postgres', Spread>
}

export const goals = { filesClaimsPerSecond: 2000, length: 1.5 } as const

const rateOf = ({ askAndClaimMs, durationMs }: Claims): number => (askAndClaimMs.length / durationMs) * 1000
const meanOf = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length

export function summarise({ workers, jobs }: JobsOptions, rounds: readonly Round[], lengths: Record<'files' | 'postgres', readonly LengthRound[]>): JobsReport {
  const summariseSide = (side: Side): SideSummary => {
    const all = rounds.map((round) => round[side])
    const percentiles = (pick: (claims: Claims) => number[]) => ({ p50: percentileOf(all.flatMap(pick), 50), p99: percentileOf(all.flatMap(pick), 99) })
    return {
      claimsPerSecond: spreadOf(all.map(rateOf)),
      askAndClaimMs: percentiles(({ askAndClaimMs }) => askAndClaimMs),
      claimMs: percentiles(({ claimMs }) => claimMs),
      refusedShare: all.reduce((sum, { refused }) => sum + refused, 0) / all.reduce((sum, { claimMs }) => sum + claimMs.length, 0),
    }
  }
  const toBare = (side: Side): Spread => spreadOf(rounds.map((round) => rateOf(round[side]) / rateOf(round.bare)))
  const length = (all: readonly LengthRound[]): Spread => spreadOf(all.map(({ short, long }) => meanOf(long.askAndClaimMs) / meanOf(short.askAndClaimMs)))
  return {
    workers,
    jobs,
    rounds: rounds.length,
    sides: { files: summariseSide('files'), postgres: summariseSide('postgres'), bare: summariseSide('bare') },
    toBare: { files: toBare('files'), postgres: toBare('postgres') },
    length: { files: length(lengths.files), postgres: length(lengths.postgres) },
  }
}
