import type { Spread } from '../statistics.ts'
import { goals, sides, type JobsReport, type Side } from './summarise.ts'

const names: Record<Side, string> = { files: 'Ingot, files', postgres: 'Ingot, PostgreSQL', bare: 'bare queue, SKIP LOCKED' }
const nameWidth = 34

/** The report for people. */
export function renderReport({ workers, jobs, rounds, sides: figures, toBare, length }: JobsReport): string[] {
  const columns = ['min', 'median', 'max'].map((name) => name.padStart(8)).join('')
  return [
    `${workers} workers, ${jobs} jobs, ${rounds} rounds`,
    '',
    `${'Claims a second'.padEnd(nameWidth)}${columns}`,
    ...sides.map((side) => `  ${names[side].padEnd(nameWidth - 2)}${renderSpread(figures[side].claimsPerSecond, (value) => value.toFixed(0))}`),
    renderOutcome(figures.files.claimsPerSecond.median >= goals.filesClaimsPerSecond, `files at least ${goals.filesClaimsPerSecond}`),
    '',
    `${'Milliseconds'.padEnd(nameWidth)}${['p50', 'p99'].map((name) => name.padStart(8)).join('')}`,
    ...sides.flatMap((side) => [
      renderTimes(`${names[side]}${side === 'bare' ? '' : ', ask + claim'}`, figures[side].askAndClaimMs),
      ...(side === 'bare' ? [] : [renderTimes(`${names[side]}, claim`, figures[side].claimMs)]),
    ]),
    '',
    `${'Ratios'.padEnd(nameWidth)}${columns}`,
    ...(['files', 'postgres'] as const).map((side) => `  ${`${names[side]} / bare queue`.padEnd(nameWidth - 2)}${renderSpread(toBare[side], twoDigits)}`),
    ...(['files', 'postgres'] as const).flatMap((side) => [
      `  ${`${names[side]}, 100,000 / 100 jobs`.padEnd(nameWidth - 2)}${renderSpread(length[side], twoDigits)}`,
      renderOutcome(length[side].median <= goals.length, `at most ${goals.length}`),
    ]),
  ]
}

const twoDigits = (value: number): string => value.toFixed(2)
const renderSpread = ({ min, median, max }: Spread, render: (value: number) => string): string => [min, median, max].map((value) => render(value).padStart(8)).join('')
const renderTimes = (name: string, { p50, p99 }: { p50: number; p99: number }): string =>
  `  ${name.padEnd(nameWidth - 2)}${[p50, p99].map((value) => value.toFixed(1).padStart(8)).join('')}`
const renderOutcome = (isReached: boolean, goal: string): string => `    goal: ${goal}: ${isReached ? 'reached' : 'missed'}`
