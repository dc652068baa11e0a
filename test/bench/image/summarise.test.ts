import { expect, test } from 'vitest'
import type { Round } from './measure-round.ts'
import { planRounds, type Measured } from './options.ts'
import { renderReport } from './render-report.ts'
import { summarise } from './summarise.ts'

/** A round in which partclone takes 4 s and 200 bytes for everything, Ingot `wallMs`, and nobody else is measured. */
const round = (wallMs: number): Round => {
  const all = (measured: Measured) => ({ capture: { 'first build': measured, 'one more package': measured, 'one file changed': measured }, restore: measured })
  const own = all({ wallMs, cpuMs: 1000, bytes: 100 })
  own.capture['one file changed'] = { wallMs, cpuMs: 1000, bytes: 5 }
  return { ingot: own, partclone: all({ wallMs: 4000, cpuMs: 5000, bytes: 200 }) }
}

test('ratios are taken round by round, and told beside their goals', () => {
  const report = summarise([round(2000), round(6000), round(3000)])
  const ratios = Object.fromEntries(report.ratios.map(({ name, spread }) => [name, spread]))
  expect(ratios).toMatchObject({
    'first build, time / partclone': { min: 0.5, median: 0.75, max: 1.5 },
    'first build, bytes / partclone': { median: 0.5 },
    'one more package, bytes / first build': { median: 1 },
    'one file changed, bytes / first build': { median: 0.05 },
  })
  const lines = renderReport(report)
  expect(lines[0]).toContain('3 rounds')
  expect(lines.find((line) => line.includes('first build, time'))).toMatch(/0\.500\s+0\.750\s+1\.500\s+at most 1: reached$/)
  expect(lines.find((line) => line.includes('one more package, bytes'))).toMatch(/at most 0\.1: missed$/)
})

test('who was measured in fewer rounds is told with their number, and who was not measured is left out', () => {
  const [first, second] = [round(2000), round(6000)]
  const lines = renderReport(summarise([{ ...first, casync: first.partclone! }, second]))
  expect(lines.find((line) => line.includes('casync'))).toMatch(/^ {2}casync \(1 round\) +4\.0 +5\.0/)
  expect(lines.some((line) => line.includes('dd'))).toBe(false)
  const { ratios } = summarise([{ ingot: { ...first.ingot!, capture: {} }, partclone: first.partclone! }])
  expect(ratios.map(({ name }) => name)).toEqual(['restore, time / partclone', 'restore, bytes / partclone'])
})

test('casync is measured once, and of a quick benchmark only what the speed of Ingot is held to', () => {
  expect(planRounds({ rounds: 3, quick: false }).map(({ sides }) => sides.length)).toEqual([4, 3, 3])
  expect(planRounds({ rounds: 2, quick: true })).toEqual([1, 2].map(() => ({ sides: ['ingot', 'partclone'], scenarios: ['first build'] })))
})
