import prettyBytes from 'pretty-bytes'
import type { Spread } from '../statistics.ts'
import type { BootReport, RatioSummary, SideSummary } from './summarise.ts'

/** The report for people. */
export function renderReport(report: BootReport): string[] {
  const { firmware, nic, memoryMiB, cpus, accelerator, rounds } = report
  const columns = `${'min'.padStart(8)}${'median'.padStart(8)}${'max'.padStart(8)}`
  return [
    `${firmware === 'bios' ? 'BIOS' : 'UEFI'}, ${nic}, ${memoryMiB} MiB of memory, ${cpus} processors, accelerator ${accelerator}, ${rounds} rounds`,
    '',
    `${'Seconds since power-on'.padEnd(nameWidth)}${columns}${'median since the last'.padStart(24)}`,
    '',
    ...renderSide('Ingot, to a claimed job', report.ingot),
    '',
    ...renderSide(`Debian's installer ${report.installerVersion}, to its configured network`, report.installer),
    '',
    `${'Ratios'.padEnd(nameWidth)}${columns}${'goal'.padStart(24)}`,
    renderRatio('job claimed / (a) network configured', report.toInstaller),
    renderRatio('job claimed / (b) stage 1 asks for stage 2', report.toFloor),
  ]
}

const nameWidth = 46

const renderSide = (title: string, { marks, receivedBytes }: SideSummary): string[] => [
  `${title}, ${prettyBytes(receivedBytes)} received`,
  ...marks.map(
    ({ name, sincePowerOnMs, sinceLastMs }) =>
      `  ${name.padEnd(nameWidth - 2)}${renderSpread(sincePowerOnMs, seconds)}${seconds(sinceLastMs.median).padStart(24)}`,
  ),
]

function renderRatio(name: string, { ratio, goal }: RatioSummary): string {
  const outcome = `at most ${goal}: ${ratio.median <= goal ? 'reached' : 'missed'}`
  return `  ${name.padEnd(nameWidth - 2)}${renderSpread(ratio, (value) => value.toFixed(2))}${outcome.padStart(24)}`
}

const renderSpread = ({ min, median, max }: Spread, render: (value: number) => string): string =>
  [min, median, max].map((value) => render(value).padStart(8)).join('')
const seconds = (ms: number): string => (ms / 1000).toFixed(2)
