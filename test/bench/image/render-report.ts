import type { Spread } from '../statistics.ts'
import { sides, type Side } from './options.ts'
import { goals, tasks, type ImageReport } from './summarise.ts'

const names: Record<Side, string> = { ingot: 'Ingot', partclone: 'partclone.ext4 | zstd -T0', dd: 'dd | zstd -T0', casync: 'casync' }
const nameWidth = 44

/** The report for people. */
export const renderReport = ({ rounds, figures, ratios }: ImageReport): string[] => [
  `A disk of 4 GiB with Debian 12 on ext4, warm cache, ${rounds} ${rounds === 1 ? 'round' : 'rounds'}, medians`,
  ...tasks.flatMap((task) => [
    '',
    `${capital(task).padEnd(nameWidth)}${['seconds', 'CPU s', 'MB'].map((name) => name.padStart(9)).join('')}`,
    ...sides.map((side) => {
      const { wallMs, cpuMs, bytes } = figures[side][task]
      const columns = [wallMs.median / 1000, cpuMs.median / 1000, bytes.median / 1e6]
      return `  ${names[side].padEnd(nameWidth - 2)}${columns.map((value) => value.toFixed(1).padStart(9)).join('')}`
    }),
  ]),
  '',
  `${'Ratios'.padEnd(nameWidth)}${['min', 'median', 'max'].map((name) => name.padStart(9)).join('')}${'goal'.padStart(22)}`,
  renderRatio('first build, time / partclone', ratios.captureTime, goals.time),
  renderRatio('first build, bytes / partclone', ratios.captureBytes, goals.bytes),
  renderRatio('restore, time / partclone', ratios.restoreTime, goals.time),
  renderRatio('restore, bytes / partclone', ratios.restoreBytes, goals.bytes),
  renderRatio('one more package, bytes / first build', ratios.packageBytes, goals.rebuildBytes),
  renderRatio('one file changed, bytes / first build', ratios.fileBytes, goals.rebuildBytes),
]

const capital = (text: string): string => text.replace(/^./, (letter) => letter.toUpperCase())

function renderRatio(name: string, { min, median, max }: Spread, goal: number): string {
  const outcome = `at most ${goal}: ${median <= goal ? 'reached' : 'missed'}`
  return `  ${name.padEnd(nameWidth - 2)}${[min, median, max].map((value) => value.toFixed(3).padStart(9)).join('')}${outcome.padStart(22)}`
}
