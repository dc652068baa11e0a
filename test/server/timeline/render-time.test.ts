import { expect, test } from 'vitest'
import { renderClock, renderSeconds } from '../../../server/timeline/render-time.ts'

test.each([
  [0, '0:00.0'],
  [4_249, '0:04.2'],
  [59_960, '1:00.0'],
  [3_723_400, '1:02:03.4'],
  [-5, '0:00.0'],
])('a clock at %d ms reads %s', (ms, text) => expect(renderClock(ms)).toBe(text))

test.each([
  [230, '0.2 s'],
  [38_440, '38.4 s'],
  [99_960, '1 min 40 s'],
  [250_000, '4 min 10 s'],
  [3_720_000, '1 h 2 min'],
])('%d ms are %s', (ms, text) => expect(renderSeconds(ms)).toBe(text))
