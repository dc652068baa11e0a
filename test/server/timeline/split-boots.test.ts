import { expect, it } from 'vitest'
import { splitBoots } from '../../../server/timeline/split-boots.ts'
import { asked, eventsOf, wayTo } from './machine-events.ts'

const lengths = (hops: Parameters<typeof eventsOf>[0]) => splitBoots(eventsOf(hops)).map((boot) => boot.length)

it('firmware, iPXE and Linux of one power-on are one boot', () => expect(lengths(wayTo('worker'))).toEqual([wayTo('worker').length]))
it('a question of firmware after the boot script begins another', () =>
  expect(lengths([...wayTo('worker'), ...wayTo('firmware')])).toEqual([wayTo('worker').length, wayTo('firmware').length]))
it('firmware that tries again without having got that far has not booted yet', () => expect(lengths([...wayTo('tftp'), ...wayTo('tftp')])).toEqual([2 * wayTo('tftp').length]))
it('firmware that comes back an hour later was switched on anew', () => expect(lengths([...wayTo('tftp'), { ...asked(), afterSeconds: 3600 }])).toEqual([wayTo('tftp').length, 1]))
it('nothing is no boot', () => expect(lengths([])).toEqual([]))
