import { optionCodes } from './codes.ts'

const cookie = 0x63825363
const cookieAt = 236
const optionsAt = 240
const snameAt = 44
const fileAt = 108

/** What a message is: RFC 2131, section 2, the field `op`. */
export const opcodes = { request: 1, reply: 2 } as const

/** Thrown for a datagram that is no DHCP message on Ethernet; such a one is logged and dropped. */
export class BadPacket extends Error {
  override readonly name = 'BadPacket'
}

/** A message taken apart: the fields of fixed length with the magic cookie, as the `dhcp` package reads them rightly, and each option once, whole. */
export interface NormalPacket {
  /** Followed by an end mark. */
  header: Buffer
  options: Map<number, Buffer>
}

/**
 * Takes a datagram apart. Joins the parts of split options (RFC 3396) and those in `file` and `sname` (RFC 2132 section 9.3, option 52), drops padding.
 * Throws `BadPacket` when the datagram is too short, not of the kind expected, not from Ethernet, lacks the magic cookie, or an option runs over its end.
 */
export function normalisePacket(datagram: Buffer, expected: keyof typeof opcodes = 'request'): NormalPacket {
  if (datagram.length < optionsAt) throw new BadPacket(`${datagram.length} bytes are too short for DHCP`)
  if (datagram.readUInt32BE(cookieAt) !== cookie) throw new BadPacket('no DHCP magic cookie')
  if (datagram[0] !== opcodes[expected]) throw new BadPacket(`op ${datagram[0]}, not a ${expected}`)
  // EDK2's SendGUID puts the 16 bytes of a UUID where the MAC belongs.
  if (datagram[1] !== 1 || datagram[2] !== 6) throw new BadPacket(`hardware type ${datagram[1]} with ${datagram[2]} bytes, not Ethernet`)

  const options = new Map<number, Buffer>()
  collectOptions(datagram.subarray(optionsAt), options)
  const overload = options.get(optionCodes.overload)?.[0] ?? 0
  if (overload & 1) collectOptions(datagram.subarray(fileAt, cookieAt), options)
  if (overload & 2) collectOptions(datagram.subarray(snameAt, fileAt), options)
  options.delete(optionCodes.overload)

  const header = Buffer.allocUnsafe(optionsAt + 1)
  datagram.copy(header, 0, 0, optionsAt)
  header[optionsAt] = optionCodes.end
  if (overload & 1) header.fill(0, fileAt, cookieAt)
  if (overload & 2) header.fill(0, snameAt, fileAt)
  return { header, options }
}

function collectOptions(field: Buffer, into: Map<number, Buffer>): void {
  let at = 0
  while (at < field.length) {
    const code = field[at++] as number
    if (code === optionCodes.pad) continue
    if (code === optionCodes.end) return
    const length = field[at++]
    if (length === undefined || at + length > field.length) throw new BadPacket(`option ${code} runs over the end of the packet`)
    const part = field.subarray(at, at + length)
    const before = into.get(code)
    const value = before === undefined ? part : Buffer.concat([before, part])
    if (value.length > 255) throw new BadPacket(`option ${code} has ${value.length} bytes, more than any that is understood`)
    into.set(code, value)
    at += length
  }
}
