import type { Asked } from '../../../boot/asked.ts'
import { formatIpv4 } from '../ipv4.ts'
import type { Packet } from './codec.ts'
import { messageTypeOf, optionCodes, type bootServicePort, serverPort, type MessageType } from './codes.ts'

/** Address and UDP port of a sender. */
export interface Peer {
  address: string
  port: number
}

/** How a datagram came to us. */
export interface Arrival {
  /** The port of ours that it came to. */
  port: typeof serverPort | typeof bootServicePort
  isBroadcast: boolean
  peer: Peer
}

/** A client's message as the rest of the server reads it. */
export interface Question {
  packet: Packet
  type: MessageType
  /** Heard on our own wire, from a client that has no address yet or has lost sight of its server. */
  isBroadcast: boolean
  /** Who sent the datagram: the client, or a relay. */
  peer: Peer
  /** Machine id: the MAC with dashes, lower case. */
  machine: string
  asked: Asked
  /** Option 50. */
  requestedAddress: string | undefined
  /** Option 54: the server that the client has chosen. */
  serverIdentifier: string | undefined
  /** Option 55, undefined when absent: then everything is sent. */
  requestedOptions: ReadonlySet<number> | undefined
  /** Option 57, at least 576 (RFC 2132, section 9.10). */
  maximumMessageBytes: number
}

/** What a packet asks, or undefined when it is BOOTP without DHCP (no option 53). */
export function readQuestion(packet: Packet, { port, isBroadcast, peer }: Arrival): Question | undefined {
  const { options } = packet
  const type = messageTypeOf(options.get(optionCodes.messageType)?.[0])
  if (type === undefined) return undefined
  const parameters = options.get(optionCodes.parameterRequestList)
  const maximum = options.get(optionCodes.maximumMessageBytes)
  return {
    packet,
    type,
    isBroadcast,
    peer,
    machine: packet.chaddr,
    asked: {
      service: port === serverPort ? 'dhcp' : 'boot-service',
      architectures: readArchitectures(options.get(optionCodes.clientArchitecture)),
      vendorClass: (options.get(optionCodes.vendorClass) ?? Buffer.alloc(0)).toString('latin1').replace(/\0.*$/s, ''),
      userClass: readUserClass(options.get(optionCodes.userClass)),
      ipxeFeatures: readIpxeFeatures(options.get(optionCodes.ipxe)),
    },
    requestedAddress: readAddress(options.get(optionCodes.requestedAddress)),
    serverIdentifier: readAddress(options.get(optionCodes.serverIdentifier)),
    requestedOptions: parameters === undefined ? undefined : new Set(parameters),
    maximumMessageBytes: Math.max(576, maximum?.length === 2 ? maximum.readUInt16BE() : 0),
  }
}

const readAddress = (value: Buffer | undefined) => (value?.length === 4 ? formatIpv4(value.readUInt32BE()) : undefined)

function readArchitectures(value: Buffer = Buffer.alloc(0)): number[] {
  return Array.from({ length: Math.floor(value.length / 2) }, (_, index) => value.readUInt16BE(index * 2))
}

/** RFC 3004 puts a length before each class; iPXE and most others send the bare text. The first class counts. */
function readUserClass(value: Buffer = Buffer.alloc(0)): string {
  const length = value[0] ?? 0
  const isPrefixed = length > 0 && length < value.length && length < 32
  return (isPrefixed ? value.subarray(1, 1 + length) : value).toString('latin1').replace(/\0.*$/s, '')
}

/** The codes of the options inside option 175: iPXE lists each of its features as one of them (its features.h). */
function readIpxeFeatures(value: Buffer = Buffer.alloc(0)): Set<number> {
  const codes = new Set<number>()
  for (let at = 0; at + 1 < value.length; at += 2 + (value[at + 1] as number)) {
    if (value[at] === optionCodes.end) break
    codes.add(value[at] as number)
  }
  return codes
}
