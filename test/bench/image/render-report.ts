import { sides, type Side } from './options.ts'
import { tasks, type ImageReport } from './summarise.ts'

const names: Record<Side, string> = { ingot: 'Ingot', partclone: 'partclone.ext4 | zstd -T0', dd: 'dd | zstd -T0', casync: 'casync' }
const nameWidth = 44

/** The report for people. */
export const renderReport = ({ rounds, figures, ratios }: ImageReport): string[] => [
  `A disk of 4 GiB with Debian 12 on ext4, warm cache, ${countRounds(rounds)}, medians`,
  ...tasks.flatMap((task) => {
    const found = sides.flatMap((side) => figures.find((each) => each.side === side && each.task === task) ?? [])
    if (found.length === 0) return []
    return [
      '',
      `${capital(task).padEnd(nameWidth)}${['seconds', 'CPU s', 'MB'].map((name) => name.padStart(9)).join('')}`,
      ...found.map(({ side, rounds: measured, spread: { wallMs, cpuMs, bytes } }) => {
        const columns = [wallMs.median / 1000, cpuMs.median / 1000, bytes.median / 1e6]
        const name = measured === rounds ? names[side] : `${names[side]} (${countRounds(measured)})`
        return `  ${name.padEnd(nameWidth - 2)}${columns.map((value) => value.toFixed(1).padStart(9)).join('')}`
      }),
    ]
  }),
  '',
  `${'Ratios'.padEnd(nameWidth)}${['min', 'median', 'max'].map((name) => name.padStart(9)).join('')}${'goal'.padStart(22)}`,
  ...ratios.map(renderRatio),
]

const capital = (text: string): string => text.replace(/^./, (letter) => letter.toUpperCase())

const countRounds = (count: number): string => `${count} ${count === 1 ? 'round' : 'rounds'}`

function renderRatio({ name, spread: { min, median, max }, goal }: ImageReport['ratios'][number]): string {
  const outcome = `at most ${goal}: ${median <= goal ? 'reached' : 'missed'}`
  return `  ${name.padEnd(nameWidth - 2)}${[min, median, max].map((value) => value.toFixed(3).padStart(9)).join('')}${outcome.padStart(22)}`
}
