import { describe, expect, it } from 'vitest'
import { formatPacket } from '../../../../server/netboot/dhcp/codec.ts'
import type { AddressOffer } from '../../../../boot/offer.ts'
import { buildReply, replyDestination } from '../../../../server/netboot/dhcp/reply.ts'
import type { DhcpSettings } from '../../../../server/netboot/dhcp/settings.ts'
import { question, type DatagramFields } from './datagram.ts'

const settings: DhcpSettings = {
  serverAddress: '10.77.0.1',
  policies: [],
  networks: [{ address: '10.77.0.1', prefixLength: 24, range: { first: '10.77.0.100', last: '10.77.0.199' }, router: '10.77.0.254' }],
  leaseSeconds: 3600,
  nameServers: ['10.77.0.2', '10.77.0.3'],
  domain: 'rack.example',
  httpUrl: 'http://10.77.0.1:8080',
}
const [network] = settings.networks
const address = '10.77.0.100'
const pxe: AddressOffer = { kind: 'boot', address, file: 'snponly.efi', client: 'pxe' }
const offer = (fields: DatagramFields, what: AddressOffer) => buildReply(question(fields), { kind: 'offer', offer: what, network }, settings)
const texts = (fields: DatagramFields, what: AddressOffer) =>
  Object.fromEntries([...offer(fields, what).options].map(([code, value]) => [code, value.toString('latin1')]))

it('an offer to firmware names the boot file in the header, where shim looks, and in options only when asked', () => {
  expect(offer({}, pxe)).toMatchObject({
    op: 2,
    xid: 0xdeadbeef,
    yiaddr: address,
    siaddr: '10.77.0.1',
    sname: '10.77.0.1',
    file: 'snponly.efi',
  })
  expect(texts({}, pxe)).not.toHaveProperty('67')
  expect(texts({ options: [[55, [66, 67]]] }, pxe)).toMatchObject({ 66: '10.77.0.1', 67: 'snponly.efi\0' })
})

it('firmware is not told 60=PXEClient, which would make EDK2 look for port 4011', () =>
  expect(texts({ options: [[55, [60]]] }, pxe)).not.toHaveProperty('60'))
it('UEFI HTTP boot is told 60=HTTPClient, without which it takes no offer', () =>
  expect(texts({}, { ...pxe, client: 'http' })).toHaveProperty('60', 'HTTPClient'))
it('iPXE is told not to wait for a proxy', () => expect(texts({}, { ...pxe, client: 'ipxe' })).toHaveProperty('175', '\xb0\x01\x01'))

it('an operating system gets its network settings and nothing to boot', () => {
  const reply = offer({}, { kind: 'address', address })
  expect(reply).toMatchObject({ siaddr: '0.0.0.0', sname: '', file: '' })
  expect([...reply.options].map(([code, value]) => `${code}: ${value.toString('hex')}`)).toEqual([
    '53: 02',
    '54: 0a4d0001',
    '51: 00000e10',
    '58: 00000708',
    '59: 00000c4e',
    '1: ffffff00',
    '3: 0a4d00fe',
    '6: 0a4d00020a4d0003',
    `15: ${Buffer.from('rack.example').toString('hex')}`,
    '28: 0a4d00ff',
  ])
})

it('only what a client lists is sent', () =>
  expect([...offer({ options: [[55, [1, 6]]] }, { kind: 'address', address }).options.keys()]).toEqual([53, 54, 51, 58, 59, 1, 6]))
it('the machine identifier is given back, and what a relay added comes last', () => {
  const { options } = offer(
    {
      options: [
        [82, [1, 2, 3, 4]],
        [97, [0, 9, 9]],
      ],
    },
    pxe,
  )
  expect(options.get(97)).toEqual(Buffer.of(0, 9, 9))
  expect([...options].at(-1)).toEqual([82, Buffer.of(1, 2, 3, 4)])
})

it('a message never exceeds what the client takes, and the least important goes first', () => {
  const relay: [number, string] = [82, 'r'.repeat(240)]
  const small = offer({ options: [relay] }, { kind: 'address', address })
  expect(formatPacket(small).length).toBeLessThanOrEqual(576 - 28)
  expect(small.options.has(28)).toBe(false)
  expect(offer({ options: [relay, [57, [5, 220]]] }, { kind: 'address', address }).options.has(28)).toBe(true)
})

it('an answer to INFORM carries neither address nor lease', () => {
  const reply = buildReply(
    question({ type: 'inform', ciaddr: '10.77.0.50' }),
    { kind: 'inform-ack', offer: { kind: 'address', address: '10.77.0.50' }, network },
    settings,
  )
  expect(reply).toMatchObject({ ciaddr: '10.77.0.50', yiaddr: '0.0.0.0' })
  expect([...reply.options.keys()]).not.toContain(51)
})

describe('where a reply goes', () => {
  it.each([
    ['to the relay, on its server port', { giaddr: '10.78.0.1', ciaddr: '10.77.0.100' }, 'ack', '10.78.0.1', 67],
    ['to the address that the client has', { ciaddr: '10.77.0.100' }, 'ack', '10.77.0.100', 68],
    ['to all when the client has none', {}, 'offer', '255.255.255.255', 68],
    ['to all when the client asks for that', { flags: 0x8000 }, 'ack', '255.255.255.255', 68],
    ['to all when an address is refused', { ciaddr: '10.77.0.100' }, 'nak', '255.255.255.255', 68],
  ] as const)('%s', (_, fields, kind, to, port) => expect(replyDestination(question(fields), kind)).toEqual({ address: to, port }))
})

it('a relay is told to broadcast a refusal', () => {
  const refuse = (fields: DatagramFields) => buildReply(question({ type: 'request', ...fields }), { kind: 'nak', reason: 'no' }, settings)
  expect(refuse({ giaddr: '10.78.0.1' }).flags).toBe(0x8000)
  expect(refuse({})).toMatchObject({ flags: 0, yiaddr: '0.0.0.0', siaddr: '0.0.0.0' })
})
