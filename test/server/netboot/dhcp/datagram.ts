import { parsePacket } from '../../../../server/netboot/dhcp/codec.ts'
import { optionCodes, messageTypes, type MessageType } from '../../../../server/netboot/dhcp/codes.ts'
import { readQuestion, type Arrival, type Question } from '../../../../server/netboot/dhcp/question.ts'

export interface DatagramFields {
  type?: MessageType
  mac?: string
  ciaddr?: string
  giaddr?: string
  flags?: number
  options?: [code: number, value: readonly number[] | string][]
  /** Bytes of the option field as they are, instead of `type` and `options`. */
  rawOptions?: readonly number[]
  /** Bytes written at an offset of the whole, last of all. */
  patches?: [offset: number, bytes: readonly number[]][]
  /** Only so many bytes of the whole. */
  cutToBytes?: number
}

/** A client's datagram, byte by byte after RFC 2131 section 2, without any of our code or the package's. */
export function datagram({
  type = 'discover',
  mac = '02:00:00:00:00:01',
  ciaddr,
  giaddr,
  flags = 0,
  options = [],
  rawOptions,
  patches = [],
  cutToBytes,
}: DatagramFields = {}): Buffer {
  const header = Buffer.alloc(240)
  header.set([1, 1, 6, 0, 0xde, 0xad, 0xbe, 0xef])
  header.writeUInt16BE(flags, 10)
  if (ciaddr !== undefined) header.set(ciaddr.split('.').map(Number), 12)
  if (giaddr !== undefined) header.set(giaddr.split('.').map(Number), 24)
  header.set(
    mac.split(':').map((octet) => parseInt(octet, 16)),
    28,
  )
  header.set([99, 130, 83, 99], 236)
  const encode = ([code, value]: [number, readonly number[] | string]) => {
    const bytes = Buffer.from(value as string)
    return [code, bytes.length, ...bytes]
  }
  const encoded = rawOptions ?? [optionCodes.messageType, 1, messageTypes[type], ...options.flatMap(encode), optionCodes.end]
  const whole = Buffer.concat([header, Buffer.from(encoded)])
  for (const [offset, bytes] of patches) whole.set(bytes, offset)
  return whole.subarray(0, cutToBytes)
}

const heard: Arrival = { port: 67, isBroadcast: true, peer: { address: '0.0.0.0', port: 68 } }

/** What our server reads of such a datagram, heard as a broadcast unless `arrival` says otherwise. */
export function question(fields: DatagramFields = {}, arrival: Partial<Arrival> = {}): Question {
  const read = readQuestion(parsePacket(datagram(fields)), { ...heard, ...arrival })
  if (read === undefined) throw new Error('the datagram of the test is no DHCP message')
  return read
}

export const address = (text: string): number[] => text.split('.').map(Number)
