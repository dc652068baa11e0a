import type { ProxyOffer } from '../../../boot/offer.ts'
import { formatIpv4 } from '../ipv4.ts'
import type { Packet } from './codec.ts'
import { bootServicePort, broadcastFlag, clientPort, messageTypes, optionCodes, serverPort } from './codes.ts'
import { addressBytes, bootFileOptions, checkFile, echoMachine, fitOptions, type OptionEntry } from './options.ts'
import type { Peer, Question } from './question.ts'

/** Suboptions of option 43 for PXE: PXE specification 2.1, table 2-1. */
const pxeDiscoveryControl = 6
const pxeBootItem = 71
/** Bit 3 of the discovery control: boot the file of this offer, without a menu and without looking for boot servers. */
const bootOfferedFile = 8

/**
 * The message that tells a machine what to boot beside another DHCP server: an OFFER on port 67, an ACK on port 4011. It carries no address and
 * nothing of a lease (PXE specification 2.1, section 2.2.2).
 */
export function buildProxyReply(question: Question, offer: ProxyOffer, serverAddress: string): Packet {
  const { packet, asked } = question
  const isOffer = asked.service === 'dhcp'
  const isInvitation = offer.kind === 'proxy-invitation'
  const vendorClass = !isInvitation && offer.client === 'http' ? 'HTTPClient' : 'PXEClient'
  const vendorSpecific = [...(isInvitation || !offer.direct ? [] : [pxeDiscoveryControl, 1, bootOfferedFile]), ...echoBootItem(packet)]
  return {
    op: 2,
    hops: 0,
    xid: packet.xid,
    secs: 0,
    flags: isOffer ? packet.flags | broadcastFlag : packet.flags,
    ciaddr: isOffer ? '0.0.0.0' : packet.ciaddr,
    yiaddr: '0.0.0.0',
    siaddr: serverAddress,
    giaddr: packet.giaddr,
    chaddr: packet.chaddr,
    sname: serverAddress,
    file: isInvitation ? '' : checkFile(offer.file),
    options: fitOptions(
      [
        [optionCodes.messageType, Buffer.of(isOffer ? messageTypes.offer : messageTypes.ack)],
        [optionCodes.serverIdentifier, addressBytes(serverAddress)],
        [optionCodes.vendorClass, Buffer.from(vendorClass)],
        ...echoMachine(question),
        ...(vendorSpecific.length === 0 ? [] : [[optionCodes.vendorSpecific, Buffer.of(...vendorSpecific, optionCodes.end)] satisfies OptionEntry]),
        ...(isInvitation ? [] : bootFileOptions(question, serverAddress, offer.file)),
      ],
      question,
    ),
  }
}

/** Suboption 71, by which a machine says which entry of a boot menu it wants, given back as it came. */
function echoBootItem({ options }: Packet): number[] {
  const sent = options.get(optionCodes.vendorSpecific) ?? Buffer.alloc(0)
  for (let at = 0; at + 1 < sent.length && sent[at] !== optionCodes.end; at += 2 + (sent[at + 1] as number)) {
    const item = sent.subarray(at, at + 2 + (sent[at + 1] as number))
    if (item[0] === pxeBootItem && item.length === 2 + (item[1] as number)) return [...item]
  }
  return []
}

/** Where a proxy's reply goes: on port 4011 back to where the question came from; on port 67 to the relay or to all, for the machine has no address yet. */
export function proxyReplyDestination({ packet: { giaddr }, asked, peer }: Question): Peer {
  if (asked.service === 'boot-service') return peer
  if (giaddr !== '0.0.0.0') return { address: giaddr, port: serverPort }
  return { address: formatIpv4(0xffffffff), port: clientPort }
}

export const replyPort = ({ asked }: Question): typeof serverPort | typeof bootServicePort => (asked.service === 'dhcp' ? serverPort : bootServicePort)
