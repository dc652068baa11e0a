// The only importer of the package `dhcp`: its header parser and formatter are sound. Its server is not, nor are its options, which it drops or
// garbles by type (61 as ASCII cut at NUL, 119 and 121 wrong, 82, 93, 97, 175 unknown): every one is bytes to us, read and written here.
import protocol from 'dhcp/lib/protocol.js'
import { optionCodes } from './codes.ts'
import { normalisePacket, type opcodes } from './normalise.ts'

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
  const { header, options } = normalisePacket(datagram, expected)
  const { op, chaddr, ...fields } = protocol.parse(header)
  return { ...fields, op: op as Packet['op'], chaddr: chaddr.toLowerCase(), options }
}

/** Smallest message that every client accepts: BOOTP's 300 bytes (RFC 1542, section 2.1). */
const smallestBytes = 300

/** Writes a message with its options in the order given, padded to 300 bytes. It must fit in 1500 bytes: see `fitOptions`. */
export function formatPacket(packet: Packet): Buffer {
  const { options, ...header } = packet
  const { _data: message, _w: end } = protocol.format({ ...header, htype: 1, hlen: 6, options: {} })
  // Over the end mark that the package has set behind the magic cookie.
  let at = end - 1
  for (const [code, value] of options) {
    message[at] = code
    // Throws for more than 255 bytes, which would garble all that follows.
    message.writeUInt8(value.length, at + 1)
    message.set(value, at + 2)
    at += 2 + value.length
  }
  message[at] = optionCodes.end
  return message.subarray(0, Math.max(at + 1, smallestBytes))
}
