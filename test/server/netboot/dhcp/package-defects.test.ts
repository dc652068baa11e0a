import { describe, expect, it } from 'vitest'
import { formatPacket, parsePacket } from '../../../../server/netboot/dhcp/codec.ts'
import { BadPacket } from '../../../../server/netboot/dhcp/normalise.ts'
import { loadBare } from './bare-package.ts'
import { datagram, type DatagramFields } from './datagram.ts'

/*
 * Each defect in how the package `dhcp` 0.2.20 reads and writes messages that Ingot covers: the check holds for our layer and fails for the package alone, so that a
 * version that mends one of them shows here.
 */

const bare = loadBare()

const optionsOf = {
  ours: (fields: DatagramFields) =>
    Object.fromEntries([...parsePacket(datagram(fields)).options].map(([code, value]) => [code, [...value]])),
  bare: (fields: DatagramFields) => bare.protocol.parse(datagram(fields)).options,
}
type ReadOptions = (fields: DatagramFields) => Record<number, unknown>

const reading: [title: string, check: (read: ReadOptions) => void][] = [
  ['padding is one byte', (read) => expect(read({ rawOptions: [0, 53, 1, 1, 0, 0, 0, 12, 1, 65, 255] })).toHaveProperty('12')],
  ['a packet without the magic cookie is refused', (read) => expect(() => read({ patches: [[236, [1, 2, 3, 4]]] })).toThrow()],
  [
    'an option split in two is joined (RFC 3396)',
    (read) =>
      expect(
        read({
          options: [
            [43, [1, 2]],
            [43, [3]],
          ],
        })[43],
      ).toEqual([1, 2, 3]),
  ],
  [
    'options in the field file are read (option 52)',
    (read) => expect(read({ options: [[52, [1]]], patches: [[108, [93, 2, 0, 7, 255]]] })[93]).toEqual([0, 7]),
  ],
  ['options in the field sname are read (option 52)', (read) => expect(read({ options: [[52, [2]]], patches: [[44, [93, 2, 0, 7, 255]]] })[93]).toEqual([0, 7])],
  ['a datagram that ends within the cookie is refused, and says why', (read) => expect(() => read({ cutToBytes: 238 })).toThrow(/^238 bytes are too short/)],
  ['a client that is not on Ethernet (EDK2 SendGUID, 16 bytes) is refused as a bad packet', (read) => expect(() => read({ patches: [[1, [6, 16]]] })).toThrow(BadPacket)],
  [
    'an option of another length does not shift those behind it',
    (read) => expect(read({ rawOptions: [57, 3, 5, 220, 0, 93, 2, 0, 7, 255] })[93]).toEqual([0, 7]),
  ],
  ...[77, 82, 93, 94, 97, 150, 175].map((code): [string, (read: ReadOptions) => void] => [
    `option ${code} is kept`,
    (read) => expect(read({ options: [[code, [1, 2]]] })[code]).toEqual([1, 2]),
  ]),
  ['the client identifier is bytes, NUL included', (read) => expect(read({ options: [[61, [1, 0, 2]]] })[61]).toEqual([1, 0, 2])],
]

describe('the package alone is asked in a way that works where it has no defect', () => {
  it('reading', () => expect(optionsOf.bare({ options: [[12, 'a']] })[12]).toBe('a'))
  it('writing', () => expect(write.bare([[51, 60 as never]]).includes(Buffer.of(51, 4, 0, 0, 0, 60))).toBe(true))
})

describe.each(reading)('reading: %s', (_, check) => {
  it('by our layer', () => check(optionsOf.ours))
  it('not by the package alone', () => expect(() => check(optionsOf.bare)).toThrow())
})

const header = {
  op: 2 as const,
  hops: 0,
  xid: 1,
  secs: 0,
  flags: 0,
  ciaddr: '0.0.0.0',
  yiaddr: '0.0.0.0',
  siaddr: '0.0.0.0',
  giaddr: '0.0.0.0',
  chaddr: '02-00-00-00-00-01',
  sname: '',
  file: '',
}
type WriteOptions = (options: [number, Buffer][]) => Buffer
const write = {
  ours: (options) => formatPacket({ ...header, options: new Map(options) }),
  bare(options) {
    const { _data, _w } = bare.protocol.format({ ...header, htype: 1, hlen: 6, options: Object.fromEntries(options) })
    return _data.subarray(0, _w)
  },
} satisfies Record<string, WriteOptions>

const writing: [title: string, check: (write: WriteOptions) => void][] = [
  ['a message has 300 bytes or more', (write) => expect(write([])).toHaveLength(300)],
  ['option 97 can be sent', (write) => expect(write([[97, Buffer.of(0, 7)]]).includes(Buffer.of(97, 2, 0, 7))).toBe(true)],
  [
    'option 43 is sent as the bytes it is',
    (write) => expect(write([[43, Buffer.of(6, 1, 8, 255)]]).includes(Buffer.of(43, 4, 6, 1, 8, 255))).toBe(true),
  ],
  ['option 119, a search list, is sent as the bytes it is', (write) => expect(write([[119, Buffer.of(1, 97, 0)]]).includes(Buffer.of(119, 3, 1, 97, 0))).toBe(true)],
  ['option 121, static routes, is sent as the bytes it is', (write) => expect(write([[121, Buffer.of(8, 10, 10, 77, 0, 1)]]).includes(Buffer.of(121, 6, 8, 10, 10, 77, 0, 1))).toBe(true)],
  [
    'options keep their order, the relay agent last',
    (write) =>
      expect(
        write([
          [93, Buffer.of(1)],
          [82, Buffer.of(2)],
        ]).subarray(240, 246),
      ).toEqual(Buffer.of(93, 1, 1, 82, 1, 2)),
  ],
]

describe.each(writing)('writing: %s', (_, check) => {
  it('by our layer', () => check(write.ours))
  it('not by the package alone', () => expect(() => check(write.bare)).toThrow())
})
