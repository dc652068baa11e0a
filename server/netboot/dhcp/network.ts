import { formatIpv4, netmaskOf, parseIpv4 } from '../ipv4.ts'
import { optionCodes } from './codes.ts'
import type { Question } from './question.ts'

/** First and last address that may be given, for example `10.77.0.100` and `10.77.0.200`. */
export interface AddressRange {
  first: string
  last: string
}

/** A network that machines boot on: our own, or one behind a relay agent. */
export interface BootNetwork {
  /** Any address of it, for example `10.77.0.1` with prefix length 24 for `10.77.0.0/24`. */
  address: string
  prefixLength: number
  range: AddressRange
  /** Default gateway for its machines. */
  router: string | undefined
}

/** For example `10.77.0.0/24`. */
export const nameOfNetwork = ({ address, prefixLength }: Pick<BootNetwork, 'address' | 'prefixLength'>): string =>
  `${formatIpv4((parseIpv4(address) & netmaskOf(prefixLength)) >>> 0)}/${prefixLength}`

export function isInNetwork(address: string, network: Pick<BootNetwork, 'address' | 'prefixLength'>): boolean {
  const mask = netmaskOf(network.prefixLength)
  return (parseIpv4(address) & mask) === (parseIpv4(network.address) & mask)
}

export function isInRange(address: string, { first, last }: AddressRange): boolean {
  const number = parseIpv4(address)
  return number >= parseIpv4(first) && number <= parseIpv4(last)
}

/** Suboption of option 82 by which a relay names the client's network where its own address is of another (RFC 3527). */
const linkSelection = 5

/**
 * The network that a machine asks from: what its relay says, else the one of the address it renews, else ours, whose broadcasts alone we hear
 * (RFC 2131, section 4.3.1). Undefined behind a relay whose network is not among `networks`; the first of them is ours.
 */
export function networkOf({ packet, isBroadcast }: Question, networks: readonly [BootNetwork, ...BootNetwork[]]): BootNetwork | undefined {
  const find = (address: string) => networks.find((network) => isInNetwork(address, network))
  if (packet.giaddr !== '0.0.0.0') return find(readLinkSelection(packet.options.get(optionCodes.relayAgent)) ?? packet.giaddr)
  return (isBroadcast || packet.ciaddr === '0.0.0.0' ? undefined : find(packet.ciaddr)) ?? networks[0]
}

function readLinkSelection(relayAgent: Buffer = Buffer.alloc(0)): string | undefined {
  for (let at = 0; at + 1 < relayAgent.length; at += 2 + (relayAgent[at + 1] as number)) {
    const isWhole = relayAgent[at + 1] === 4 && at + 6 <= relayAgent.length
    if (relayAgent[at] === linkSelection && isWhole) return formatIpv4(relayAgent.readUInt32BE(at + 2))
  }
  return undefined
}
