import type { Part } from './options.ts'
import type { NetbootReport, Row } from './summarise.ts'

const titles: Record<Part, (report: NetbootReport) => string> = {
  dhcp: () => 'DHCP, by perfdhcp',
  tftp: () => 'TFTP, by atftp',
  http: () => 'HTTP, kernel and initramfs, by wrk',
  storm: ({ machines }) => `Boot storm, ${machines} machines at once: DHCP, iPXE by TFTP, DHCP as iPXE, script by HTTP`,
}

const nameWidth = 36
const columnWidth = 18

/** The report for people: medians, and in the last columns Ingot as a multiple of the best of its peers. */
export function renderReport(report: NetbootReport): string[] {
  const parts = [...new Set(report.rows.map(({ part }) => part))]
  return [`${report.rounds} rounds, medians`, ...parts.flatMap((part) => ['', ...renderPart(part, report)])]
}

function renderPart(part: Part, report: NetbootReport): string[] {
  const rows = report.rows.filter((row) => row.part === part)
  const servers = rows[0]?.figures.map(({ server }) => server) ?? []
  const columns = [...servers, 'ratio', 'min … max'].map((name) => name.padStart(columnWidth)).join('')
  const repeated = part !== 'storm' ? [] : report.repeated.map(({ server, dhcp, tftp }) => `  ${server} had to be asked again: ${dhcp} times by DHCP, ${tftp} by TFTP`)
  return [titles[part](report), `${''.padEnd(nameWidth)}${columns}`, ...rows.map(renderRow), ...repeated]
}

function renderRow({ name, unit, figures, ratio, goal }: Row): string {
  const digits = unit === 'exchanges/s' ? 0 : unit === 's' ? 2 : 1
  const values = figures.map(({ spread }) => `${spread.median.toFixed(digits)} ${unit}`.padStart(columnWidth)).join('')
  const range = `${ratio.min.toFixed(2)} … ${ratio.max.toFixed(2)}`
  const outcome = goal === undefined ? '' : `  at least ${goal}: ${ratio.median >= goal ? 'reached' : 'missed'}`
  return `  ${name.padEnd(nameWidth - 2)}${values}${ratio.median.toFixed(2).padStart(columnWidth)}${range.padStart(columnWidth)}${outcome}`
}
