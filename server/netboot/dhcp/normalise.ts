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

/**
 * A datagram in the one form that the `dhcp` package reads rightly: header, cookie, each option once and of the length that its bytes
 * have, end mark. Joins the parts of split options (RFC 3396) and those in `file` and `sname` (RFC 2132 section 9.3, option 52), drops padding.
 * Throws `BadPacket` when the datagram is too short, not of the kind expected, not from Ethernet, lacks the magic cookie, or an option runs over its end.
 */
export function normalisePacket(datagram: Buffer, expected: keyof typeof opcodes = 'request'): Buffer {
  if (datagram.length < optionsAt) throw new BadPacket(`${datagram.length} bytes are too short for DHCP`)
  if (datagram.readUInt32BE(cookieAt) !== cookie) throw new BadPacket('no DHCP magic cookie')
  if (datagram[0] !== opcodes[expected]) throw new BadPacket(`op ${datagram[0]}, not a ${expected}`)
  // EDK2's SendGUID puts the 16 bytes of a UUID where the MAC belongs.
  if (datagram[1] !== 1 || datagram[2] !== 6) throw new BadPacket(`hardware type ${datagram[1]} with ${datagram[2]} bytes, not Ethernet`)

  const options = new Map<number, Buffer[]>()
  collectOptions(datagram.subarray(optionsAt), options)
  const overload = options.get(optionCodes.overload)?.[0]?.[0] ?? 0
  if (overload & 1) collectOptions(datagram.subarray(fileAt, cookieAt), options)
  if (overload & 2) collectOptions(datagram.subarray(snameAt, fileAt), options)
  options.delete(optionCodes.overload)

  const header = Buffer.from(datagram.subarray(0, optionsAt))
  if (overload & 1) header.fill(0, fileAt, cookieAt)
  if (overload & 2) header.fill(0, snameAt, fileAt)
  const encoded = [...options].flatMap(([code, parts]) => {
    const value = Buffer.concat(parts)
    if (value.length > 255) throw new BadPacket(`option ${code} has ${value.length} bytes, more than any that is understood`)
    return [Buffer.of(code, value.length), value]
  })
  return Buffer.concat([header, ...encoded, Buffer.of(optionCodes.end)])
}

function collectOptions(field: Buffer, into: Map<number, Buffer[]>): void {
  let at = 0
  while (at < field.length) {
    const code = field[at++] as number
    if (code === optionCodes.pad) continue
    if (code === optionCodes.end) return
    const length = field[at++]
    if (length === undefined || at + length > field.length) throw new BadPacket(`option ${code} runs over the end of the packet`)
    into.set(code, [...(into.get(code) ?? []), field.subarray(at, at + length)])
    at += length
  }
}
