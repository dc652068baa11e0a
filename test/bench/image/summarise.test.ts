import { expect, test } from 'vitest'
import type { Round } from './measure-round.ts'
import { sides, type Measured } from './options.ts'
import { renderReport } from './render-report.ts'
import { summarise } from './summarise.ts'

/** A round in which partclone takes 4 s and 200 bytes for everything, and Ingot `wallMs`. */
const round = (wallMs: number): Round => {
  const other: Measured = { wallMs: 4000, cpuMs: 5000, bytes: 200 }
  const all = (measured: Measured) => ({ capture: { 'first build': measured, 'one more package': measured, 'one file changed': measured }, restore: measured })
  const own = all({ wallMs, cpuMs: 1000, bytes: 100 })
  own.capture['one file changed'] = { wallMs, cpuMs: 1000, bytes: 5 }
  return { ...(Object.fromEntries(sides.map((side) => [side, all(other)])) as Round), ingot: own }
}

test('ratios are taken round by round, and told beside their goals', () => {
  const report = summarise([round(2000), round(6000), round(3000)])
  expect(report.ratios).toMatchObject({
    captureTime: { min: 0.5, median: 0.75, max: 1.5 },
    captureBytes: { median: 0.5 },
    packageBytes: { median: 1 },
    fileBytes: { median: 0.05 },
  })
  const lines = renderReport(report)
  expect(lines[0]).toContain('3 rounds')
  expect(lines.find((line) => line.includes('first build, time'))).toMatch(/0\.500\s+0\.750\s+1\.500\s+at most 1: reached$/)
  expect(lines.find((line) => line.includes('one more package, bytes'))).toMatch(/at most 0\.1: missed$/)
})
