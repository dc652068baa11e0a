import { expect, it } from 'vitest'
import { mergeClaims, type Claims } from './options.ts'
import { renderReport } from './render-report.ts'
import { summarise, type Round } from './summarise.ts'

const claims = (perSecond: number, more: Partial<Claims> = {}): Claims => ({ durationMs: 1000, askAndClaimMs: Array(perSecond).fill(10), claimMs: Array(perSecond).fill(6), refused: 0, ...more })
const costing = (ms: number): Claims => claims(5, { askAndClaimMs: Array(5).fill(ms) })
const options = { workers: 10, jobs: 100, rounds: 2, json: false }
const rounds: Round[] = [
  { files: claims(3000, { refused: 300 }), postgres: claims(1000), bare: claims(4000) },
  { files: claims(1500), postgres: claims(1000), bare: claims(2000) },
]
const lengths = { files: [{ short: costing(2), long: costing(2) }], postgres: [{ short: costing(2), long: costing(5) }] }

it('takes each ratio within one round, whose sides met the same load', () => {
  const { toBare, sides, length } = summarise(options, rounds, lengths)
  expect(toBare.files).toEqual({ min: 0.75, median: 0.75, max: 0.75 })
  expect(toBare.postgres).toEqual({ min: 0.25, median: 0.375, max: 0.5 })
  expect(sides.files.claimsPerSecond).toEqual({ min: 1500, median: 2250, max: 3000 })
  expect(sides.files.refusedShare).toBeCloseTo(300 / 4500)
  expect(sides.files.askAndClaimMs).toEqual({ p50: 10, p99: 10 })
  expect(length.postgres.median).toBe(2.5)
})

it('says for each goal whether it was reached', () => {
  const lines = renderReport(summarise(options, rounds, lengths)).filter((line) => line.includes('goal'))
  expect(lines).toEqual(['    goal: files at least 2000: reached', '    goal: at most 1.5: reached', '    goal: at most 1.5: missed'])
})

it('counts what several processes claimed beside each other as done in the time of the slowest', () => {
  const merged = mergeClaims([claims(10), claims(20, { durationMs: 2000, refused: 3 })])
  expect(merged).toMatchObject({ durationMs: 2000, refused: 3 })
  expect(merged.claimMs).toHaveLength(30)
})
