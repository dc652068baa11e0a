import { expect, it } from 'vitest'
import { parsePacket } from '../../../../server/netboot/dhcp/codec.ts'
import { readQuestion } from '../../../../server/netboot/dhcp/question.ts'
import { datagram, question } from './datagram.ts'

it('reads what firmware says of itself', () => {
  const { asked, maximumMessageBytes, requestedOptions } = question({
    options: [
      [93, [0, 7, 0, 16]],
      [60, 'PXEClient:Arch:00007:UNDI:003016'],
      [57, [5, 192]],
      [55, [1, 60, 67]],
    ],
  })
  expect(asked).toEqual({ service: 'dhcp', architectures: [7, 16], vendorClass: 'PXEClient:Arch:00007:UNDI:003016', userClass: '', ipxeFeatures: new Set() })
  expect(maximumMessageBytes).toBe(1472)
  expect(requestedOptions).toEqual(new Set([1, 60, 67]))
})

it.each([
  ['bare', 'iPXE'],
  ['with its length in front (RFC 3004)', '\x04iPXE'],
])('knows iPXE by its user class, %s', (_, userClass) => expect(question({ options: [[77, userClass]] }).asked.userClass).toBe('iPXE'))

it('reads the features that iPXE lists in option 175', () => {
  expect(question({ options: [[175, [177, 5, 1, 26, 244, 16, 0, 19, 1, 1, 24, 1, 1]]] }).asked.ipxeFeatures).toEqual(new Set([177, 19, 24]))
})
it('takes 576 bytes for the least that a client accepts', () => {
  expect(question().maximumMessageBytes).toBe(576)
  expect(question({ options: [[57, [1, 0]]] }).maximumMessageBytes).toBe(576)
})
it('a packet without a message type is BOOTP and no question', () =>
  expect(readQuestion(parsePacket(datagram({ rawOptions: [255] })), { port: 67, isBroadcast: true, peer: { address: '0.0.0.0', port: 68 } })).toBeUndefined())
