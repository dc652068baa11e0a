import { expect, test } from 'vitest'
import { createRateMeter } from '../../../appliance/worker/measure-rate.ts'
import { renderProgress } from '../../../server/commands/job/render-progress.ts'

test('what goes on is told with its rate and what is left, from a second after it began', () => {
  let nowMs = 0
  const measure = createRateMeter(() => nowMs)
  const at = (ms: number, doneBytes: number, detail: string) => {
    nowMs = ms
    return renderProgress(measure({ stepIndex: 2, stepCount: 7, step: 'image', doneBytes, totalBytes: 200e6, detail }))
  }
  expect(at(0, 10e6, 'sending')).toBe('3/7 image 5 % of 200 MB: sending')
  expect(at(999, 20e6, 'sending')).toBe('3/7 image 10 % of 200 MB: sending')
  expect(at(2000, 50e6, 'sending')).toBe('3/7 image 25 % of 200 MB, 20 MB/s, 8s left: sending')
  // Something else begins anew, and so does what is done again.
  expect(at(3000, 50e6, 'checking')).toBe('3/7 image 25 % of 200 MB: checking')
  expect(at(5000, 0, 'checking')).toBe('3/7 image 0 % of 200 MB: checking')
  expect(at(7000, 40e6, 'checking')).toBe('3/7 image 20 % of 200 MB, 20 MB/s, 8s left: checking')
  expect(at(8000, 200e6, 'checking')).toBe('3/7 image 100 % of 200 MB, 66.7 MB/s: checking')
})

test('what stands still has no rate, and what has no bytes none either', () => {
  let nowMs = 0
  const measure = createRateMeter(() => nowMs)
  const step = { stepIndex: 0, stepCount: 1, step: 'image' }
  expect(measure(step)).toEqual(step)
  measure({ ...step, doneBytes: 5, totalBytes: 10 })
  nowMs = 5000
  expect(renderProgress(measure({ ...step, doneBytes: 5, totalBytes: 10 }))).toBe('1/1 image 50 % of 10 B')
})
