import { expect, it } from 'vitest'
import type { Measurement } from './measurement.ts'
import { renderReport } from './render-report.ts'
import { summarise } from './summarise.ts'

const boot = (marks: Record<string, number>): Measurement => ({ marks: Object.entries(marks).map(([name, atMs]) => ({ name, atMs })), receivedBytes: 50_000_000 })
const claim = (floorMs: number, claimMs: number) => boot({ 'stage 1 asks for stage 2': floorMs, 'job claimed': claimMs })
const circumstances = { firmware: 'bios', accelerator: 'tcg,thread=multi', installerVersion: '20230607' } as const

const rounds = [
  { claim: claim(7000, 10_000), installer: boot({ 'network configured': 40_000 }) },
  { claim: claim(14_000, 18_000), installer: boot({ 'network configured': 60_000 }) },
  { claim: claim(7000, 9000), installer: boot({ 'network configured': 20_000 }) },
]

it('takes each ratio within one round, whose boots met the same load', () => {
  const { toInstaller, toFloor } = summarise(rounds, circumstances)
  expect(toInstaller.ratio).toEqual({ min: 0.25, median: 0.3, max: 0.45 })
  expect(toFloor.ratio).toEqual({ min: 9 / 7, median: 9 / 7, max: 10 / 7 })
})

it('tells each mark since power-on and since the one before it', () => {
  expect(summarise(rounds, circumstances).ingot.marks[1]).toEqual({
    name: 'job claimed',
    sincePowerOnMs: { min: 9000, median: 10_000, max: 18_000 },
    sinceLastMs: { min: 2000, median: 3000, max: 4000 },
  })
})

it('says for each ratio whether its goal was reached', () => {
  const lines = renderReport(summarise(rounds, circumstances))
  expect(lines.find((line) => line.includes('(a)'))).toMatch(/0\.25 +0\.30 +0\.45 +at most 0\.3: reached$/)
  expect(renderReport(summarise(rounds.slice(0, 1), circumstances)).find((line) => line.includes('(b)'))).toMatch(/1\.43 +at most 1\.3: missed$/)
})
