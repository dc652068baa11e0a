import { expect, it } from 'vitest'
import type { Round } from './measure-round.ts'
import { renderReport } from './render-report.ts'
import { summarise } from './summarise.ts'

const dhcp = (exchangesPerSecond: number, p99Ms: number) => ({ exchangesPerSecond, p99Ms, unanswered: 0 })
const storm = (allServedMs: number, repeatedByDhcp: number) => ({ allServedMs, servedMs: [1000, 2000, allServedMs], repeated: { dhcp: repeatedByDhcp, tftp: 0 } })
const round = (ingotBytes: number): Round => ({
  dhcp: { ingot: dhcp(900, 4), dnsmasq: dhcp(200, 40), kea: dhcp(1000, 2) },
  tftp: [{ clients: 50, blockBytes: 512, windowBlocks: 8, bytesPerSecond: { ingot: ingotBytes, dnsmasq: 30_000_000, 'tftpd-hpa': 40_000_000 } }],
  storm: { ingot: storm(4000, 7), 'dnsmasq + nginx': storm(8000, 3) },
})
const report = summarise({ machines: 3 }, [round(60_000_000), round(20_000_000), round(40_000_000)])

it('compares with the best of the others, within one round', () => {
  expect(report.rows.find(({ part }) => part === 'tftp')?.ratio).toEqual({ min: 0.5, median: 1, max: 1.5 })
})

it('counts less time as better', () => {
  const ratios = report.rows.map(({ name, ratio }) => [name, ratio.median])
  expect(ratios).toContainEqual(['p99 of an answer', 0.5])
  expect(ratios).toContainEqual(['all have their script', 2])
})

it('leaves out what was not measured', () => expect(report.rows.filter(({ part }) => part === 'http')).toEqual([]))

it('says for each goal whether it was reached, and how often the storm had to ask again', () => {
  const lines = renderReport(report)
  expect(lines.filter((line) => line.includes('at least')).map((line) => line.trim().split(/ {2,}/).at(-1))).toEqual([
    'at least 0.8: reached',
    'at least 0.8: missed',
    'at least 1: reached',
  ])
  expect(lines.at(-2)).toContain('ingot had to be asked again: 7 times by DHCP')
})
