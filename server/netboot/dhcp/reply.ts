import { longestFileBytes } from '../../../boot/offer.ts'
import { formatIpv4, netmaskOf, parseIpv4 } from '../ipv4.ts'
import type { Packet } from './codec.ts'
import { messageTypes, optionCodes } from './codes.ts'
import type { Answerable, Decision, DhcpSettings } from './decide.ts'
import type { Question } from './question.ts'

const broadcastFlag = 0x8000
/** IP and UDP headers, which option 57 counts: RFC 2132 section 9.10 leaves it open, Kea and dnsmasq read it so. */
const headerBytes = 28
/** Fixed fields, magic cookie and end mark of a message. */
const fixedBytes = 241
const ethernetMtu = 1500

/** Option 175 with its suboption 0xb0 = 1: iPXE then does not wait for a proxyDHCP server (its `DHCP_EB_NO_PXEDHCP`). */
const ipxeNoProxy = Buffer.of(0xb0, 1, 1)

/** The message that carries a decision out. */
export function buildReply(question: Question, decision: Exclude<Decision, { kind: 'silent' }>, settings: DhcpSettings): Packet {
  const { packet } = question
  const type = decision.kind === 'inform-ack' ? messageTypes.ack : messageTypes[decision.kind]
  const always: OptionEntry[] = [
    [optionCodes.messageType, Buffer.of(type)],
    [optionCodes.serverIdentifier, addressBytes(settings.serverAddress)],
  ]
  const header = { op: 2 as const, hops: 0, xid: packet.xid, secs: 0, giaddr: packet.giaddr, chaddr: packet.chaddr }
  if (decision.kind === 'nak') {
    const message: OptionEntry = [optionCodes.message, Buffer.from(decision.reason, 'latin1')]
    // The relay must broadcast a NAK, since the client has no address that it believes in (RFC 2131, section 4.3.2).
    const flags = packet.giaddr === '0.0.0.0' ? packet.flags : packet.flags | broadcastFlag
    return { ...header, ...noAddresses, flags, sname: '', file: '', options: fitOptions([...always, message], question) }
  }
  const { offer } = decision
  const isBoot = offer.kind === 'boot'
  return {
    ...header,
    ...noAddresses,
    flags: packet.flags,
    // In an ACK ciaddr is the client's own (RFC 2131, table 3).
    ciaddr: decision.kind === 'offer' ? '0.0.0.0' : packet.ciaddr,
    yiaddr: decision.kind === 'inform-ack' ? '0.0.0.0' : offer.address,
    siaddr: isBoot ? settings.serverAddress : '0.0.0.0',
    sname: isBoot ? settings.serverAddress : '',
    file: isBoot ? checkFile(offer.file) : '',
    options: fitOptions(
      [
        ...always,
        ...(decision.kind === 'inform-ack' ? [] : leaseOptions(settings)),
        ...bootOptions(offer, question, settings),
        ...networkOptions(question, settings),
      ],
      question,
    ),
  }
}

type OptionEntry = [code: number, value: Buffer]
const noAddresses = { ciaddr: '0.0.0.0', yiaddr: '0.0.0.0', siaddr: '0.0.0.0' }

function leaseOptions({ leaseSeconds }: DhcpSettings): OptionEntry[] {
  return [
    [optionCodes.leaseSeconds, uint32(leaseSeconds)],
    [optionCodes.renewalSeconds, uint32(Math.floor(leaseSeconds / 2))],
    [optionCodes.rebindingSeconds, uint32(Math.floor(leaseSeconds * 0.875))],
  ]
}

function bootOptions(offer: Answerable, { packet, requestedOptions }: Question, { serverAddress }: DhcpSettings): OptionEntry[] {
  const machine = packet.options.get(optionCodes.clientMachine)
  const echo: OptionEntry[] = machine === undefined ? [] : [[optionCodes.clientMachine, machine]]
  if (offer.kind !== 'boot') return echo
  const isRequested = (code: number) => requestedOptions?.has(code) === true
  const entries: (OptionEntry | false)[] = [
    ...echo,
    // In DHCP mode 60=PXEClient would make EDK2 wait for a boot server on port 4011 (smee #228); HTTP boot takes no offer without its own.
    offer.client === 'http' && [optionCodes.vendorClass, Buffer.from('HTTPClient')],
    offer.client === 'ipxe' && [optionCodes.ipxe, ipxeNoProxy],
    isRequested(optionCodes.tftpServerName) && [optionCodes.tftpServerName, Buffer.from(serverAddress)],
    // With its NUL: some ROMs read on to the 0xff of the end mark (netboot.xyz #1198).
    isRequested(optionCodes.bootFile) && [optionCodes.bootFile, Buffer.from(`${offer.file}\0`)],
  ]
  return entries.filter((entry) => entry !== false)
}

/** The settings of the network that the client asked for, or all of them when it sent no list. */
function networkOptions({ requestedOptions }: Question, settings: DhcpSettings): OptionEntry[] {
  const mask = netmaskOf(settings.prefixLength)
  const all: OptionEntry[] = [
    [optionCodes.subnetMask, uint32(mask)],
    [optionCodes.router, settings.router === undefined ? Buffer.alloc(0) : addressBytes(settings.router)],
    [optionCodes.nameServers, Buffer.concat(settings.nameServers.map(addressBytes))],
    [optionCodes.domainName, Buffer.from(settings.domain ?? '')],
    [optionCodes.broadcastAddress, uint32((parseIpv4(settings.serverAddress) | ~mask) >>> 0)],
  ]
  return all.filter(([code, value]) => value.length > 0 && (requestedOptions === undefined || requestedOptions.has(code)))
}

/** As many options as fit into what the client takes (option 57), the first ones first, the relay's option 82 behind them (RFC 3046, section 2.2). */
function fitOptions(wanted: readonly OptionEntry[], { packet, maximumMessageBytes }: Question): Map<number, Buffer> {
  const relayAgent = packet.options.get(optionCodes.relayAgent)
  const last: OptionEntry[] = relayAgent === undefined ? [] : [[optionCodes.relayAgent, relayAgent]]
  const sizeOf = (entries: readonly OptionEntry[]) => entries.reduce((bytes, [, value]) => bytes + 2 + value.length, 0)
  let room = Math.min(maximumMessageBytes, ethernetMtu) - headerBytes - fixedBytes - sizeOf(last)
  const fitting = wanted.filter((entry) => {
    const fits = sizeOf([entry]) <= room
    if (fits) room -= sizeOf([entry])
    return fits
  })
  return new Map([...fitting, ...last])
}

function checkFile(file: string): string {
  if (Buffer.byteLength(file) > longestFileBytes)
    throw new RangeError(`the boot file ${file} is longer than the ${longestFileBytes} bytes of a DHCP reply`)
  return file
}

const addressBytes = (address: string) => uint32(parseIpv4(address))
function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(value)
  return bytes
}

/** Where a reply goes: RFC 2131 section 4.1, as Kea (`adjustRemoteAddr`) and dnsmasq do it. */
export function replyDestination(question: Question, kind: 'offer' | 'ack' | 'inform-ack' | 'nak'): { address: string; port: 67 | 68 } {
  const { giaddr, ciaddr } = question.packet
  if (giaddr !== '0.0.0.0') return { address: giaddr, port: 67 }
  if (ciaddr !== '0.0.0.0' && kind !== 'nak') return { address: ciaddr, port: 68 }
  // Unicast to an address that the client does not have yet needs its MAC in the ARP table; pixiecore too broadcasts instead.
  return { address: formatIpv4(0xffffffff), port: 68 }
}
