import { createRequire } from 'node:module'
import { describe, expect, it } from 'vitest'
import { formatPacket, parsePacket } from '../../../../server/netboot/dhcp/codec.ts'
import { optionCodes } from '../../../../server/netboot/dhcp/codes.ts'
import { decide, type DhcpSettings } from '../../../../server/netboot/dhcp/decide.ts'
import { LeaseTable } from '../../../../server/netboot/dhcp/lease-table.ts'
import { buildReply, replyDestination } from '../../../../server/netboot/dhcp/reply.ts'
import { address, datagram, question, type DatagramFields } from './datagram.ts'

/*
 * Each defect of the package `dhcp` 0.2.20 that Ingot covers: the check holds for our layer and fails for the package alone, so that a
 * version that mends one of them shows here.
 */

interface BareServer {
  _send: (to: string, packet: { yiaddr: string; options: Record<number, number> }) => void
  handleDiscover(request: unknown): void
  handleRequest(request: unknown): void
}
const require = createRequire(import.meta.url)
/** The package as it comes: our codec has changed the option table of the other copy. */
function loadBare() {
  for (const path of Object.keys(require.cache)) if (path.includes('/node_modules/dhcp/')) delete require.cache[path]
  return {
    protocol: require('dhcp/lib/protocol.js') as {
      parse(datagram: Buffer): { options: Record<number, unknown> }
      format(packet: object): { _data: Buffer; _w: number }
    },
    createServer: (require('dhcp') as { createServer(config: object): BareServer }).createServer,
  }
}
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
  [
    'an option of another length does not shift those behind it',
    (read) => expect(read({ rawOptions: [57, 3, 5, 220, 0, 93, 2, 0, 7, 255] })[93]).toEqual([0, 7]),
  ],
  ...[77, 82, 93, 94, 97, 175].map((code): [string, (read: ReadOptions) => void] => [
    `option ${code} is kept`,
    (read) => expect(read({ options: [[code, [1, 2]]] })[code]).toEqual([1, 2]),
  ]),
  ['the client identifier is bytes, NUL included', (read) => expect(read({ options: [[61, [1, 0, 2]]] })[61]).toEqual([1, 0, 2])],
]

describe('the package alone is asked in a way that works where it has no defect', () => {
  it('reading', () => expect(optionsOf.bare({ options: [[12, 'a']] })[12]).toBe('a'))
  it('writing', () => expect(write.bare([[51, 60 as never]]).includes(Buffer.of(51, 4, 0, 0, 0, 60))).toBe(true))
  it('answering', () => expect(answer.bare({ options: [[55, [1, 3]]] })).toMatchObject({ yiaddr: '10.77.0.100', type: 2 }))
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

const settings: DhcpSettings = {
  serverAddress: '10.77.0.1',
  prefixLength: 24,
  leaseSeconds: 3600,
  router: undefined,
  nameServers: [],
  domain: undefined,
  httpUrl: 'http://10.77.0.1:8080',
}
interface Answer {
  to: string
  yiaddr: string
  type: number | undefined
}
type AnswerOne = (fields: DatagramFields) => Answer | undefined
const answer = {
  ours(fields) {
    const leases = new LeaseTable({ range: { first: '10.77.0.100', last: '10.77.0.100' }, reserved: [], leases: [] })
    if (fields.mac === '02:00:00:00:00:02')
      leases.bind({ machine: '02-00-00-00-00-01', address: '10.77.0.100', expiresAt: Number.MAX_SAFE_INTEGER })
    const asked = question(fields)
    const decision = decide(asked, leases, settings, 0)
    if (decision.kind === 'silent') return undefined
    const reply = buildReply(asked, decision, settings)
    return {
      to: replyDestination(asked, decision.kind).address,
      yiaddr: reply.yiaddr,
      type: reply.options.get(optionCodes.messageType)?.[0],
    }
  },
  bare(fields) {
    const server = loadBare().createServer({
      range: ['10.77.0.100', '10.77.0.100'],
      randomIP: false,
      netmask: '255.255.255.0',
      router: ['10.77.0.1'],
      dns: ['10.77.0.1'],
      broadcast: '10.77.0.255',
      server: '10.77.0.1',
      hostname: 'a',
      domainName: 'a',
      static: {},
    })
    let sent: Answer | undefined
    server._send = (to, packet) => (sent = { to, yiaddr: packet.yiaddr, type: packet.options[53] })
    const parse = (from: DatagramFields) => Object.assign(server, { _req: bare.protocol.parse(datagram(from)) })._req
    if (fields.mac === '02:00:00:00:00:02') server.handleDiscover(parse({}))
    sent = undefined
    if (fields.type === 'request') server.handleRequest(parse(fields))
    else server.handleDiscover(parse(fields))
    return sent
  },
} satisfies Record<string, AnswerOne>

const serverIdentifier: [number, number[]] = [54, address('10.77.0.1')]
const answering: [title: string, check: (answer: AnswerOne) => void][] = [
  [
    'a machine may request option 60, as EDK2 and iPXE do',
    (answer) => expect(answer({ options: [[55, [1, 60, 67]]] })).toMatchObject({ type: 2 }),
  ],
  ['a full range is answered by silence', (answer) => expect(answer({ mac: '02:00:00:00:00:02' })).toBeUndefined()],
  [
    'an address that was not offered is refused by a NAK',
    (answer) => expect(answer({ type: 'request', options: [serverIdentifier, [50, address('10.77.0.7')]] })).toMatchObject({ type: 6 }),
  ],
  [
    'a machine that chose another server gets no answer',
    (answer) => expect(answer({ type: 'request', options: [[54, address('10.77.0.9')]] })).toBeUndefined(),
  ],
  ['what a relay sent goes back to the relay', (answer) => expect(answer({ giaddr: '10.77.0.8' })).toMatchObject({ to: '10.77.0.8' })],
]

describe.each(answering)('answering: %s', (_, check) => {
  it('by our layer', () => check(answer.ours))
  it('not by the package alone', () => expect(() => check(answer.bare)).toThrow())
})
