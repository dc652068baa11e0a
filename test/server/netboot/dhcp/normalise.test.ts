import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parsePacket } from '../../../../server/netboot/dhcp/codec.ts'
import { BadPacket } from '../../../../server/netboot/dhcp/normalise.ts'
import { datagram } from './datagram.ts'

describe('a datagram that is no request of a client on Ethernet is refused, with the reason', () => {
  it.each([
    ['too short', Buffer.alloc(239), '239 bytes are too short for DHCP'],
    ['without the cookie', datagram({ patches: [[236, [0, 0, 0, 0]]] }), 'no DHCP magic cookie'],
    ['a reply', datagram({ patches: [[0, [2]]] }), 'op 2, not a request'],
    [
      'the UUID that EDK2 puts in place of the MAC',
      datagram({ patches: [[1, [255, 16]]] }),
      'hardware type 255 with 16 bytes, not Ethernet',
    ],
    ['an option that runs over the end', datagram({ rawOptions: [53, 1, 1, 43, 200, 1] }), 'option 43 runs over the end of the packet'],
    ['an option without its length', datagram({ rawOptions: [53, 1, 1, 43] }), 'option 43 runs over the end of the packet'],
    [
      'more parts of an option than are understood',
      datagram({
        options: [
          [43, 'x'.repeat(200)],
          [43, 'x'.repeat(56)],
        ],
      }),
      'option 43 has 256 bytes, more than any that is understood',
    ],
  ])('%s', (_, bytes, reason) => {
    expect(() => parsePacket(bytes)).toThrow(new BadPacket(reason))
  })
})

it('reads the header and takes the options out of file and sname when they are overloaded', () => {
  const packet = parsePacket(
    datagram({
      mac: '02:aa:00:00:00:01',
      options: [[52, [3]]],
      patches: [
        [108, [93, 2, 0, 7, 255]],
        [44, [60, 1, 80, 255]],
      ],
    }),
  )
  expect(packet).toMatchObject({ chaddr: '02-aa-00-00-00-01', xid: 0xdeadbeef, file: '', sname: '' })
  expect([...packet.options.keys()]).toEqual([53, 93, 60])
})

it('never does anything but read a packet or refuse it, whatever the bytes', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 400 }), fc.uint8Array({ maxLength: 200 }), fc.boolean(), (noise, options, isWhole) => {
      const bytes = isWhole ? datagram({ rawOptions: [...options] }) : Buffer.from(noise)
      try {
        parsePacket(bytes)
      } catch (error) {
        expect(error).toBeInstanceOf(BadPacket)
      }
    }),
    { numRuns: 2000 },
  )
})
