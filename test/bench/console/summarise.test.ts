import { expect, test } from 'vitest'
import { renderReport } from './render-report.ts'
import { summarise } from './summarise.ts'

const round = (times: number, plain: number) => ({ console: { rackMs: times, jobsMs: times * 2, updateMs: times * 3 }, plain: { rackMs: plain, jobsMs: plain, updateMs: plain } })

test('each round is compared with itself, so that a slow moment of the host counts on both sides', () => {
  const report = summarise({ machines: 5, jobs: 7, rounds: 3, json: false }, [round(100, 200), round(300, 600), round(200, 100)])
  expect(report.console.rackMs).toEqual({ min: 100, median: 200, max: 300 })
  expect(report.ratio.rackMs).toEqual({ min: 0.5, median: 0.5, max: 2 })
  expect(renderReport(report)[0]).toBe('5 machines, 7 jobs, 3 rounds')
  expect(renderReport(report).join('\n')).toMatch(/a change is painted\s+1\.50\s+1\.50\s+6\.00/)
})
