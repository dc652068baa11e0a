import fc from 'fast-check'
import { expect, it } from 'vitest'
import { planOffer } from '../../../../boot/offer.ts'
import { formatPacket, parsePacket } from '../../../../server/netboot/dhcp/codec.ts'
import { messageTypes, optionCodes, type MessageType } from '../../../../server/netboot/dhcp/codes.ts'
import { decide } from '../../../../server/netboot/dhcp/decide.ts'
import { LeaseTable } from '../../../../server/netboot/dhcp/lease-table.ts'
import { BadPacket } from '../../../../server/netboot/dhcp/normalise.ts'
import { buildProxyReply } from '../../../../server/netboot/dhcp/proxy-reply.ts'
import { readQuestion, type Question } from '../../../../server/netboot/dhcp/question.ts'
import { buildReply } from '../../../../server/netboot/dhcp/reply.ts'
import type { DhcpSettings } from '../../../../server/netboot/dhcp/settings.ts'
import { datagram } from './datagram.ts'

const range = { first: '10.77.0.100', last: '10.77.0.103' }
const httpUrl = 'http://10.77.0.1:8080'
const settings: DhcpSettings = {
  serverAddress: '10.77.0.1',
  httpUrl,
  policies: [],
  networks: [{ address: '10.77.0.1', prefixLength: 24, range, router: '10.77.0.254' }],
  leaseSeconds: 3600,
  nameServers: ['10.77.0.2', '10.77.0.3'],
  domain: 'rack.example',
}

const someAddress = fc.constantFrom('0.0.0.0', '10.77.0.100', '10.77.0.101', '10.77.0.1', '10.78.0.1', '255.255.255.255')
const someCode = fc.oneof(fc.constantFrom(...Object.values(optionCodes).filter((code) => code > 0 && code < 255 && code !== optionCodes.overload)), fc.integer({ min: 1, max: 254 }))
const someOption = fc.tuple(someCode, fc.oneof(fc.uint8Array({ maxLength: 255 }), fc.constantFrom('PXEClient:Arch:00007', 'HTTPClient:Arch:00016', 'iPXE')))
const someDatagram = fc.record({
  type: fc.constantFrom(...(Object.keys(messageTypes) as MessageType[])),
  mac: fc.constantFrom('02:00:00:00:00:01', '02:00:00:00:00:02', '02:00:00:00:00:03', '02:00:00:00:00:04', '02:00:00:00:00:05'),
  ciaddr: someAddress,
  giaddr: someAddress,
  flags: fc.constantFrom(0, 0x8000),
  options: fc.array(someOption, { maxLength: 8 }),
})
const somePort = fc.constantFrom(67 as const, 4011 as const)

function read(fields: Parameters<typeof datagram>[0], port: 67 | 4011): Question | undefined {
  try {
    const options = (fields?.options ?? []).map(([code, value]): [number, number[] | string] => [code, typeof value === 'string' ? value : [...value]])
    return readQuestion(parsePacket(datagram({ ...fields, options })), { port, isBroadcast: false, peer: { address: '10.77.0.50', port: 68 } })
  } catch (error) {
    if (error instanceof BadPacket) return undefined
    throw error
  }
}

/** What every answer keeps to, whatever was asked. */
function expectSound(question: Question, packet: ReturnType<typeof buildReply>): void {
  const bytes = formatPacket(packet)
  expect(bytes.length).toBeGreaterThanOrEqual(300)
  // Only a relay agent's own option, which must be given back, may go beyond what its client takes.
  const relayed = question.packet.options.get(optionCodes.relayAgent)?.length ?? 0
  expect(bytes.length).toBeLessThanOrEqual(Math.max(300, Math.min(question.maximumMessageBytes, 1500) - 28 + relayed))
  const again = parsePacket(bytes, 'reply')
  expect([again.xid, again.chaddr, again.giaddr]).toEqual([question.packet.xid, question.packet.chaddr, question.packet.giaddr])
  expect(again.options.get(optionCodes.relayAgent)).toEqual(question.packet.options.get(optionCodes.relayAgent))
}

it('whatever is asked, an answer of DHCP mode is sound, and no address belongs to two machines', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(someDatagram, somePort), { minLength: 1, maxLength: 12 }), (messages) => {
      const leases = new LeaseTable({ ranges: [range], taken: [], reservations: new Map(), leases: [] })
      messages.forEach(([fields], index) => {
        const question = read(fields as Parameters<typeof datagram>[0], 67)
        if (question === undefined) return
        const decision = decide(question, leases, settings, index * 1000)
        if (decision.kind !== 'silent') expectSound(question, buildReply(question, decision, settings))
        const addresses = leases.bound().map(({ address }) => address)
        expect(new Set(addresses).size).toBe(addresses.length)
      })
    }),
    { numRuns: 500 },
  )
})

it('whatever is asked, an answer of proxy mode is sound and gives no address', () => {
  fc.assert(
    fc.property(someDatagram, somePort, (fields, port) => {
      const question = read(fields as Parameters<typeof datagram>[0], port)
      const offer = question && planOffer(question.asked, { mode: 'proxy', httpUrl, policy: {} })
      if (question === undefined || offer === undefined || offer.kind === 'silent') return
      const reply = buildProxyReply(question, offer, settings.serverAddress)
      expectSound(question, reply)
      expect([reply.yiaddr, reply.options.has(optionCodes.leaseSeconds), reply.options.has(optionCodes.router)]).toEqual(['0.0.0.0', false, false])
    }),
    { numRuns: 2000 },
  )
})
