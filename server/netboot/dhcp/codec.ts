// The only importer of the package `dhcp`: its header parser and formatter are sound, its server and its option types are not.
import packageOptions from 'dhcp/lib/options.js'
import protocol from 'dhcp/lib/protocol.js'
import { normalisePacket, type opcodes } from './normalise.ts'

// The package drops or garbles options by type (61 as ASCII cut at NUL, 119 and 121 wrong, 82, 93, 97, 175 unknown): every one is bytes to us.
// Its table is global and mutable, so this happens once, when the module is loaded.
for (let code = 1; code < 255; code++) packageOptions.addOption(code, { name: `option ${code}`, type: 'UInt8s' })

/** A DHCP message: header fields by their names in RFC 2131 section 2, and options as raw bytes. */
export interface Packet {
  op: 1 | 2
  hops: number
  xid: number
  secs: number
  flags: number
  ciaddr: string
  yiaddr: string
  siaddr: string
  giaddr: string
  /** MAC address with dashes, lower case, for example `52-54-00-12-34-56`. */
  chaddr: string
  sname: string
  file: string
  /** In the order in which they are sent. */
  options: ReadonlyMap<number, Buffer>
}

/** Reads a client's datagram, or a server's. Throws `BadPacket`, see `normalisePacket`. */
export function parsePacket(datagram: Buffer, expected: keyof typeof opcodes = 'request'): Packet {
  const { op, chaddr, options, ...header } = protocol.parse(normalisePacket(datagram, expected))
  const entries = Object.entries(options).map(([code, bytes]) => [Number(code), Buffer.from(bytes)] as const)
  return { ...header, op: op as Packet['op'], chaddr: chaddr.toLowerCase(), options: new Map(entries) }
}

/** Smallest message that every client accepts: BOOTP's 300 bytes (RFC 1542, section 2.1). */
const smallestBytes = 300

/** Writes a message with its options in the order given, padded to 300 bytes. It must fit in 1500 bytes: see `fitOptions`. */
export function formatPacket(packet: Packet): Buffer {
  const { options, ...header } = packet
  const sequence = protocol.format({ ...header, htype: 1, hlen: 6, options: {} })
  // The package writes options in the order of their codes; relay agents want 82 last (RFC 3046 section 2.2), so they follow one by one.
  sequence._w -= 1
  for (const [code, value] of options) sequence.addOptions({ [code]: [...value] })
  sequence.addUInt8(255)
  return sequence._data.subarray(0, Math.max(sequence._w, smallestBytes))
}
