import type { Spread } from '../statistics.ts'
import type { PageTimes } from './options.ts'
import { times, type ConsoleReport } from './summarise.ts'

const names: Record<keyof PageTimes, string> = { rackMs: 'first machine painted', jobsMs: 'first job painted', updateMs: 'a change is painted' }
const nameWidth = 34

/** The report for people. */
export function renderReport({ machines, jobs, rounds, ...figures }: ConsoleReport): string[] {
  const heads = ['min', 'median', 'max'].map((name) => name.padStart(8)).join('')
  const part = (title: string, spreads: Record<keyof PageTimes, Spread>, digits: number): string[] => [
    '',
    `${title.padEnd(nameWidth)}${heads}`,
    ...times.map((time) => `  ${names[time].padEnd(nameWidth - 2)}${[spreads[time].min, spreads[time].median, spreads[time].max].map((value) => value.toFixed(digits).padStart(8)).join('')}`),
  ]
  return [
    `${machines} machines, ${jobs} jobs, ${rounds} rounds`,
    ...part('The console, milliseconds', figures.console, 0),
    ...part('A plain page, milliseconds', figures.plain, 0),
    ...part('Ratio', figures.ratio, 2),
  ]
}
