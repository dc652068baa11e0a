import { expect, it } from 'vitest'
import { negotiate } from '../../../../server/netboot/tftp/negotiate.ts'

const terms = (options: Record<string, string>) => negotiate(new Map(Object.entries(options)), { sizeBytes: 74213, mtuBytes: 1500 })

it.each([
  ['nothing asked', {}, { blockBytes: 512, windowBlocks: 1, timeoutMs: 1000 }, {}],
  ['iPXE', { blksize: '1432', tsize: '0' }, { blockBytes: 1432 }, { blksize: '1432', tsize: '74213' }],
  [
    'EDK2',
    { tsize: '0', blksize: '1468', windowsize: '4' },
    { blockBytes: 1468, windowBlocks: 4 },
    { tsize: '74213', blksize: '1468', windowsize: '4' },
  ],
  ['shim', { blksize: '512', windowsize: '512' }, { windowBlocks: 32 }, { blksize: '512', windowsize: '32' }],
  ['curl', { tsize: '0', blksize: '512', timeout: '6' }, { timeoutMs: 6000 }, { tsize: '74213', blksize: '512', timeout: '6' }],
  ['blocks beyond a frame', { blksize: '65464' }, { blockBytes: 1468 }, { blksize: '1468' }],
  ['out of range', { blksize: '7', timeout: '256', windowsize: '0' }, { blockBytes: 512, windowBlocks: 1, timeoutMs: 1000 }, {}],
  ['no numbers', { blksize: 'big', tsize: '-1' }, { blockBytes: 512 }, {}],
  ['unknown', { multicast: '' }, {}, {}],
])('%s', (_, options, expected, accepted) => {
  const result = terms(options)
  expect(result).toMatchObject(expected)
  expect(Object.fromEntries(result.accepted)).toEqual(accepted)
})
