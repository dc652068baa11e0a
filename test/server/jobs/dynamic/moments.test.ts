import { describe, expect, test } from 'vitest'
import { cronOf, latestMoment } from '../../../../server/jobs/dynamic/moments.ts'

const latest = (expression: string, timeZone: string, after: string, now: string) => {
  const moment = latestMoment(cronOf(expression, timeZone), Date.parse(after), Date.parse(now))
  return moment === undefined ? undefined : new Date(moment).toISOString()
}

describe('the moment that is due', () => {
  test.each([
    ['before it comes there is none', '2026-11-24T01:00:00Z', '2026-11-24T01:59:59.999Z', undefined],
    ['it is due to the millisecond', '2026-11-24T01:00:00Z', '2026-11-24T02:00:00.000Z', '2026-11-24T02:00:00.000Z'],
    ['once seen it is due no more', '2026-11-24T02:00:00.000Z', '2026-11-24T02:00:30Z', undefined],
    ['a late look finds it', '2026-11-24T01:00:00Z', '2026-11-24T09:00:00Z', '2026-11-24T02:00:00.000Z'],
    ['of many that were missed only the latest', '2026-11-01T00:00:00Z', '2026-11-24T09:00:00Z', '2026-11-24T02:00:00.000Z'],
  ])('%s', (_, after, now, moment) => {
    expect(latest('0 3 * * *', 'Europe/Berlin', after, now)).toBe(moment)
  })

  test('an hour that the clocks leave out in spring is not missed, and one that comes twice in autumn counts once', () => {
    expect(latest('30 2 * * *', 'Europe/Berlin', '2026-03-28T12:00:00Z', '2026-03-29T12:00:00Z')).toBe('2026-03-29T01:00:00.000Z')
    expect(latest('30 2 * * *', 'Europe/Berlin', '2026-10-24T12:00:00Z', '2026-10-25T00:30:00Z')).toBe('2026-10-25T00:30:00.000Z')
    expect(latest('30 2 * * *', 'Europe/Berlin', '2026-10-25T00:30:00Z', '2026-10-25T12:00:00Z')).toBeUndefined()
  })
})
