import type { AddressOffer } from '../../../boot/offer.ts'
import { formatIpv4, netmaskOf, parseIpv4 } from '../ipv4.ts'
import type { Packet } from './codec.ts'
import { broadcastFlag, clientPort, messageTypes, optionCodes, serverPort } from './codes.ts'
import type { Decision } from './decide.ts'
import type { BootNetwork } from './network.ts'
import { addressBytes, bootFileOptions, checkFile, echoMachine, fitOptions, uint32, type OptionEntry } from './options.ts'
import type { Peer, Question } from './question.ts'
import type { DhcpSettings } from './settings.ts'

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
  const { offer, network } = decision
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
        ...echoMachine(question),
        ...bootOptions(offer, question, settings),
        ...networkOptions(question, network, settings),
      ],
      question,
    ),
  }
}

const noAddresses = { ciaddr: '0.0.0.0', yiaddr: '0.0.0.0', siaddr: '0.0.0.0' }

function leaseOptions({ leaseSeconds }: DhcpSettings): OptionEntry[] {
  return [
    [optionCodes.leaseSeconds, uint32(leaseSeconds)],
    [optionCodes.renewalSeconds, uint32(Math.floor(leaseSeconds / 2))],
    [optionCodes.rebindingSeconds, uint32(Math.floor(leaseSeconds * 0.875))],
  ]
}

function bootOptions(offer: AddressOffer, question: Question, { serverAddress }: DhcpSettings): OptionEntry[] {
  if (offer.kind !== 'boot') return []
  const entries: (OptionEntry | false)[] = [
    // In DHCP mode 60=PXEClient would make EDK2 wait for a boot server on port 4011 (smee #228); HTTP boot takes no offer without its own.
    offer.client === 'http' && [optionCodes.vendorClass, Buffer.from('HTTPClient')],
    offer.client === 'ipxe' && [optionCodes.ipxe, ipxeNoProxy],
  ]
  return [...entries.filter((entry) => entry !== false), ...bootFileOptions(question, serverAddress, offer.file)]
}

/** The settings of the network that the client asked for, or all of them when it sent no list. */
function networkOptions({ requestedOptions }: Question, network: BootNetwork, { nameServers, domain }: DhcpSettings): OptionEntry[] {
  const mask = netmaskOf(network.prefixLength)
  const all: OptionEntry[] = [
    [optionCodes.subnetMask, uint32(mask)],
    [optionCodes.router, network.router === undefined ? Buffer.alloc(0) : addressBytes(network.router)],
    [optionCodes.nameServers, Buffer.concat(nameServers.map(addressBytes))],
    [optionCodes.domainName, Buffer.from(domain ?? '')],
    [optionCodes.broadcastAddress, uint32((parseIpv4(network.address) | ~mask) >>> 0)],
  ]
  return all.filter(([code, value]) => value.length > 0 && (requestedOptions === undefined || requestedOptions.has(code)))
}

/** Where a reply goes: RFC 2131 section 4.1, as Kea (`adjustRemoteAddr`) and dnsmasq do it. */
export function replyDestination({ packet: { giaddr, ciaddr } }: Question, kind: Exclude<Decision['kind'], 'silent'>): Peer {
  if (giaddr !== '0.0.0.0') return { address: giaddr, port: serverPort }
  if (ciaddr !== '0.0.0.0' && kind !== 'nak') return { address: ciaddr, port: clientPort }
  // Unicast to an address that the client does not have yet needs its MAC in the ARP table; pixiecore too broadcasts instead.
  return { address: formatIpv4(0xffffffff), port: clientPort }
}
