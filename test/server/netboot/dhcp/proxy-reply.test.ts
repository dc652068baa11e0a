import { describe, expect, it } from 'vitest'
import type { ProxyOffer } from '../../../../boot/offer.ts'
import { formatPacket } from '../../../../server/netboot/dhcp/codec.ts'
import { buildProxyReply, proxyReplyDestination, replyPort } from '../../../../server/netboot/dhcp/proxy-reply.ts'
import { question, type DatagramFields } from './datagram.ts'

const server = '10.77.0.1'
const peer = { address: '10.77.0.50', port: 68 }
const on67 = (fields: DatagramFields = {}) => question({ options: [[60, 'PXEClient:Arch:00007']], ...fields })
const on4011 = (fields: DatagramFields = {}) =>
  question({ type: 'request', ciaddr: '10.77.0.50', options: [[60, 'PXEClient:Arch:00007']], ...fields }, { port: 4011, isBroadcast: false, peer })
const program = (more: Partial<Extract<ProxyOffer, { kind: 'proxy' }>> = {}): ProxyOffer => ({ kind: 'proxy', file: 'undionly.kpxe', client: 'pxe', direct: true, ...more })
const optionsOf = (asked: ReturnType<typeof question>, offer: ProxyOffer) =>
  Object.fromEntries([...buildProxyReply(asked, offer, server).options].map(([code, value]) => [code, value.toString('latin1')]))

describe('an offer on port 67', () => {
  it('carries neither address nor lease nor settings of the network', () => {
    const reply = buildProxyReply(on67({ options: [[55, [1, 3, 6, 15, 28, 51, 58]]] }), program(), server)
    expect(reply).toMatchObject({ yiaddr: '0.0.0.0', ciaddr: '0.0.0.0', siaddr: server, sname: server, file: 'undionly.kpxe' })
    expect([...reply.options.keys()]).toEqual([53, 54, 60, 43])
    expect(reply.options.get(53)).toEqual(Buffer.of(2))
  })
  it('asks for broadcast, for the machine has no address', () => expect(buildProxyReply(on67(), program(), server).flags).toBe(0x8000))
  it('given directly says by option 43 that no boot server is to be looked for', () =>
    expect(optionsOf(on67(), program())).toMatchObject({ 60: 'PXEClient', 43: '\x06\x01\x08\xff' }))
  it('that invites to port 4011 has neither file nor option 43', () => {
    const reply = buildProxyReply(on67(), { kind: 'proxy-invitation' }, server)
    expect([reply.file, reply.siaddr, reply.options.has(43), reply.options.has(67)]).toEqual(['', server, false, false])
    expect(reply.options.get(60)?.toString()).toBe('PXEClient')
  })
  it('to UEFI HTTP boot has its vendor class', () => {
    const offer = program({ client: 'http', file: 'http://10.77.0.1:8080/boot/snponly.efi', direct: false })
    expect(optionsOf(on67({ options: [[55, [67]]] }), offer)).toMatchObject({ 60: 'HTTPClient', 67: 'http://10.77.0.1:8080/boot/snponly.efi\0' })
  })
  it('does not tell iPXE to wait for no proxy, being one', () => expect(optionsOf(on67(), program({ client: 'ipxe', direct: false }))).not.toHaveProperty('175'))
  it('gives the machine identifier and what a relay added back, the latter last', () => {
    const { options } = buildProxyReply(
      on67({
        options: [
          [82, [1, 1, 9]],
          [97, [0, 7]],
        ],
      }),
      program(),
      server,
    )
    expect(options.get(97)).toEqual(Buffer.of(0, 7))
    expect([...options.keys()].at(-1)).toBe(82)
  })
  it('to a ROM that sends no option 97 has none', () => expect(optionsOf(on67(), program())).not.toHaveProperty('97'))
  it('goes to all, or to the relay', () => {
    expect([proxyReplyDestination(on67()), replyPort(on67())]).toEqual([{ address: '255.255.255.255', port: 68 }, 67])
    expect(proxyReplyDestination(on67({ giaddr: '10.78.0.1' }))).toEqual({ address: '10.78.0.1', port: 67 })
  })
  it('has 300 bytes or more', () => expect(formatPacket(buildProxyReply(on67(), program(), server)).length).toBeGreaterThanOrEqual(300))
})

describe('an acknowledgement on port 4011', () => {
  it('names the file, and goes back to where the question came from', () => {
    expect(buildProxyReply(on4011(), program({ file: 'snponly.efi', direct: false }), server)).toMatchObject({ ciaddr: '10.77.0.50', yiaddr: '0.0.0.0', file: 'snponly.efi', flags: 0 })
    expect(optionsOf(on4011(), program({ direct: false }))).toMatchObject({ 53: '\x05', 54: '\n\x4d\0\x01', 60: 'PXEClient' })
    expect([proxyReplyDestination(on4011()), replyPort(on4011())]).toEqual([peer, 4011])
  })
  it('gives the boot item of option 43 back, also without option 97', () => {
    const item = [71, 4, 0, 0, 0, 0]
    expect(optionsOf(on4011({ options: [[43, [9, 1, 1, ...item, 255]]] }), program({ direct: false }))[43]).toBe(Buffer.of(...item, 255).toString('latin1'))
  })
  it('is not confused by an option 43 that is cut short', () => expect(optionsOf(on4011({ options: [[43, [71, 4, 0]]] }), program({ direct: false }))).not.toHaveProperty('43'))
})
