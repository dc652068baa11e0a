import { opcodes } from './sockets.ts'

/** Error codes of RFC 1350 section 5, and 8 of RFC 2347. */
export const tftpErrors = { undefined: 0, notFound: 1, illegalOperation: 4, unknownTransfer: 5, optionsRefused: 8 } as const

export interface ReadRequest {
  kind: 'read'
  file: string
  /** Lower case, for example `octet`. */
  mode: string
  /** Option names in lower case (RFC 2347: case-insensitive), values as sent. */
  options: ReadonlyMap<string, string>
}
export type Request = ReadRequest | { kind: 'write'; file: string }
export type TransferPacket = { kind: 'ack'; block: number } | { kind: 'error'; code: number; message: string }

/** A datagram to the request port, or undefined for anything that is no well-formed request (RFC 1350 section 5, RFC 2347). */
export function parseRequest(datagram: Buffer): Request | undefined {
  if (datagram.length < 4) return undefined
  const opcode = datagram.readUInt16BE()
  if (opcode !== opcodes.rrq && opcode !== opcodes.wrq) return undefined
  // Every field ends with NUL; some ROMs leave the last one out, others pad.
  const fields = datagram.subarray(2).toString('latin1').split('\0')
  const [file, mode, ...pairs] = fields
  if (file === undefined || file === '' || mode === undefined || mode === '') return undefined
  if (opcode === opcodes.wrq) return { kind: 'write', file }
  const options = new Map<string, string>()
  for (let at = 0; at + 1 < pairs.length && pairs[at] !== ''; at += 2)
    options.set((pairs[at] as string).toLowerCase(), pairs[at + 1] as string)
  return { kind: 'read', file, mode: mode.toLowerCase(), options }
}

/** A datagram to a transfer's port, or undefined for anything but a whole ACK or ERROR. */
export function parseTransferPacket(datagram: Buffer): TransferPacket | undefined {
  if (datagram.length < 4) return undefined
  const opcode = datagram.readUInt16BE()
  const number = datagram.readUInt16BE(2)
  if (opcode === opcodes.ack) return { kind: 'ack', block: number }
  if (opcode !== opcodes.error) return undefined
  return { kind: 'error', code: number, message: datagram.subarray(4).toString('latin1').replace(/\0.*$/s, '') }
}

/** `block` counts on without limit; its lower 16 bits go on the wire. */
export function formatData(block: number, bytes: Buffer): Buffer {
  const packet = Buffer.allocUnsafe(4 + bytes.length)
  packet.writeUInt16BE(opcodes.data)
  packet.writeUInt16BE(block & 0xffff, 2)
  bytes.copy(packet, 4)
  return packet
}

export function formatOptionAck(options: ReadonlyMap<string, string>): Buffer {
  const fields = [...options].flat().map((field) => `${field}\0`)
  return Buffer.concat([Buffer.of(0, opcodes.oack), Buffer.from(fields.join(''), 'latin1')])
}

export function formatError(code: number, message: string): Buffer {
  return Buffer.concat([Buffer.of(0, opcodes.error, 0, code), Buffer.from(`${message}\0`, 'latin1')])
}
