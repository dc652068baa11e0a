import { describe, expect, it } from 'vitest'
import { formatPacket } from '../../../../server/netboot/dhcp/codec.ts'
import { optionCodes } from '../../../../server/netboot/dhcp/codes.ts'
import { decide } from '../../../../server/netboot/dhcp/decide.ts'
import { LeaseTable } from '../../../../server/netboot/dhcp/lease-table.ts'
import { buildReply, replyDestination } from '../../../../server/netboot/dhcp/reply.ts'
import type { DhcpSettings } from '../../../../server/netboot/dhcp/settings.ts'
import { loadBare } from './bare-package.ts'
import { address, datagram, question, type DatagramFields } from './datagram.ts'

/*
 * Each defect in how the package `dhcp` 0.2.20 answers that Ingot covers: the check holds for our layer and fails for the package alone, so that a
 * version that mends one of them shows here.
 */

const range = { first: '10.77.0.100', last: '10.77.0.100' }
const domain = `${'d'.repeat(200)}.example`
const nameServers = Array.from({ length: 60 }, (_, index) => `10.77.1.${index + 1}`)
const settings: DhcpSettings = {
  serverAddress: '10.77.0.1',
  httpUrl: 'http://10.77.0.1:8080',
  policies: [],
  networks: [{ address: '10.77.0.1', prefixLength: 24, range, router: '10.77.0.1' }],
  leaseSeconds: 3600,
  nameServers,
  domain,
}

/** A message and when it comes, in milliseconds from the first. */
type Message = DatagramFields & { atMs?: number }
/** What a server says to the last message, undefined for silence. */
interface Answer {
  to: string
  type: number | undefined
  yiaddr: string
  siaddr: string
  sname: string
  file: string
  bytes: number
}
type Converse = (...messages: Message[]) => Answer | undefined

const converse = {
  ours(...messages) {
    const leases = new LeaseTable({ ranges: [range], taken: [], reservations: new Map(), leases: [] })
    let last: Answer | undefined
    for (const { atMs = 0, ...fields } of messages) {
      const asked = question(fields)
      const decision = decide(asked, leases, settings, atMs)
      const reply = decision.kind === 'silent' ? undefined : buildReply(asked, decision, settings)
      last =
        decision.kind === 'silent' || reply === undefined
          ? undefined
          : { ...reply, to: replyDestination(asked, decision.kind).address, type: reply.options.get(optionCodes.messageType)?.[0], bytes: formatPacket(reply).length }
    }
    return last
  },
  bare(...messages) {
    const { createServer, protocol } = loadBare()
    const server = createServer({
      range: [range.first, range.last],
      randomIP: false,
      netmask: '255.255.255.0',
      router: ['10.77.0.1'],
      dns: nameServers,
      broadcast: '10.77.0.255',
      server: '10.77.0.1',
      hostname: 'a',
      domainName: domain,
      static: {},
    })
    let last: Answer | undefined
    server._send = (to, packet) => (last = { ...packet, to, type: packet.options[53], bytes: protocol.format(packet)._w })
    for (const { atMs: _, ...fields } of messages) {
      last = undefined
      server._sock.emit('message', datagram(fields))
    }
    return last
  },
} satisfies Record<string, Converse>

const here: [number, number[]] = [54, address('10.77.0.1')]
const wanting = (text: string): [number, number[]] => [50, address(text)]
const one = '02:00:00:00:00:01'
const two = '02:00:00:00:00:02'
const settled: Message[] = [{}, { type: 'request', options: [here, wanting('10.77.0.100')] }]
const pxe: DatagramFields['options'] = [
  [93, [0, 7]],
  [60, 'PXEClient:Arch:00007:UNDI:003016'],
]

const checks: [title: string, check: (talk: Converse) => void][] = [
  ...[50, 52, 56, 60, 61, 80].map((code): [string, (talk: Converse) => void] => [
    `a machine may request option ${code}${code === 60 ? ', as EDK2 and iPXE do' : ''}`,
    (talk) => expect(talk({ options: [[55, [1, code, 67]]] })).toMatchObject({ type: 2 }),
  ]),
  ['a full range is answered by silence', (talk) => expect(talk({ mac: one }, { mac: two })).toBeUndefined()],
  ['an address whose lease has run out is given to another', (talk) => expect(talk(...settled, { mac: two, atMs: 4_000_000 })).toMatchObject({ yiaddr: '10.77.0.100' })],
  [
    'a released address is given to another',
    (talk) => expect(talk(...settled, { type: 'release', ciaddr: '10.77.0.100' }, { mac: two, atMs: 1 })).toMatchObject({ yiaddr: '10.77.0.100' }),
  ],
  ['a declined address is left alone', (talk) => expect(talk(...settled, { type: 'decline', options: [here, wanting('10.77.0.100')] }, {})).toBeUndefined()],
  ['INFORM is answered, without an address', (talk) => expect(talk({ type: 'inform', ciaddr: '10.77.0.50' })).toMatchObject({ type: 5, yiaddr: '0.0.0.0' })],
  ['an address that was not offered is refused by a NAK', (talk) => expect(talk({ type: 'request', options: [here, wanting('10.77.0.7')] })).toMatchObject({ type: 6 })],
  ['a machine that chose another server gets no answer', (talk) => expect(talk({ type: 'request', options: [[54, address('10.77.0.9')]] })).toBeUndefined()],
  ['what a relay sent goes back to the relay', (talk) => expect(talk({ giaddr: '10.77.0.8' })).toMatchObject({ to: '10.77.0.8' })],
  ['a renewal is answered to the address renewed', (talk) => expect(talk(...settled, { type: 'request', ciaddr: '10.77.0.100' })).toMatchObject({ to: '10.77.0.100' })],
  ['a machine without an address is answered by broadcast on its own wire', (talk) => expect(talk({})).toMatchObject({ to: '255.255.255.255' })],
  ['the boot file and its server stand in the header', (talk) => expect(talk({ options: pxe })).toMatchObject({ file: 'snponly.efi', sname: '10.77.0.1', siaddr: '10.77.0.1' })],
  ['a machine that asks for nothing to boot is not told where from', (talk) => expect(talk({})).toMatchObject({ siaddr: '0.0.0.0' })],
  [
    'a message does not exceed the 576 bytes that every client takes (option 57)',
    (talk) => expect(talk({ options: [[55, [1, 3, 6, 15, 28]]] })?.bytes).toBeLessThanOrEqual(576 - 28),
  ],
]

it('the package alone is asked in a way that works where it has no defect', () => {
  expect(converse.bare({ options: [[55, [1, 3]]] })).toMatchObject({ yiaddr: '10.77.0.100', type: 2 })
  expect(converse.bare(...settled)).toMatchObject({ yiaddr: '10.77.0.100', type: 5 })
})

describe.each(checks)('%s', (_, check) => {
  it('by our layer', () => check(converse.ours))
  it('not by the package alone', () => expect(() => check(converse.bare)).toThrow())
})
