import { planOffer, type Offer } from '../../../boot/offer.ts'
import { netmaskOf, parseIpv4 } from '../ipv4.ts'
import type { LeaseTable } from './lease-table.ts'
import type { Question } from './question.ts'

/** What the DHCP service hands out besides addresses. */
export interface DhcpSettings {
  /** Address of the first computer on the boot network, for example `10.77.0.1`, with its prefix length. */
  serverAddress: string
  prefixLength: number
  leaseSeconds: number
  router: string | undefined
  nameServers: readonly string[]
  domain: string | undefined
  /** Base of the HTTP service, for example `http://10.77.0.1:8080`. */
  httpUrl: string
}

export type Answerable = Exclude<Offer, { kind: 'silent' }>

/** What becomes of one message. */
export type Decision =
  | { kind: 'silent'; reason: string; isPoolExhausted?: true }
  | { kind: 'offer' | 'ack'; offer: Answerable }
  /** Settings without a lease, for a machine that has its address from elsewhere. */
  | { kind: 'inform-ack'; offer: Answerable }
  | { kind: 'nak'; reason: string }

/** What a server does with each kind of message: RFC 2131, section 4.3. Changes `leases`; an `ack` must be sent only after they are on disk. */
export function decide(question: Question, leases: LeaseTable, settings: DhcpSettings, nowMs: number): Decision {
  const { machine, type, packet } = question
  switch (type) {
    case 'discover': {
      const offer = planOffer(question.asked, { ...settings, address: leases.offer(machine, question.requestedAddress, nowMs) })
      return offer.kind === 'silent' ? { ...offer, isPoolExhausted: true } : { kind: 'offer', offer }
    }
    case 'request':
      return decideRequest(question, leases, settings, nowMs)
    case 'decline':
      if (question.serverIdentifier !== settings.serverAddress) return silent('declined an address of another server')
      leases.decline(machine, nowMs)
      return silent('found its address in use by another machine')
    case 'release':
      if (leases.addressOf(machine) !== packet.ciaddr) return silent('released an address that it does not have')
      leases.release(machine, nowMs)
      return silent('released its address')
    case 'inform':
      // Not its boot file: a machine that only informs itself has started by other means.
      return { kind: 'inform-ack', offer: { kind: 'address', address: packet.ciaddr } }
    case 'offer':
    case 'ack':
    case 'nak':
      return silent(`a client sent ${type}`)
  }
}

/** RFC 2131 section 4.3.2: which state the client is in shows in which of option 54, option 50 and ciaddr it sends. */
function decideRequest(question: Question, leases: LeaseTable, settings: DhcpSettings, nowMs: number): Decision {
  const { machine, packet, serverIdentifier, requestedAddress } = question
  if (serverIdentifier !== undefined && serverIdentifier !== settings.serverAddress) {
    leases.withdraw(machine)
    return silent(`chose the DHCP server ${serverIdentifier}`)
  }
  const address = packet.ciaddr === '0.0.0.0' ? requestedAddress : packet.ciaddr
  if (address === undefined) return silent('asked for no address')
  const known = leases.addressOf(machine)
  if (known === address && leases.isFreeFor(machine, address, nowMs)) return acknowledge(question, address, leases, settings, nowMs)
  if (serverIdentifier !== undefined) return { kind: 'nak', reason: `asked for ${address} but was offered ${known ?? 'nothing'}` }
  const isHere = isInSubnet(address, settings)
  // Behind a relay another subnet is no mistake of the client.
  if (!isHere && packet.giaddr === '0.0.0.0') return { kind: 'nak', reason: `${address} is not of this network` }
  if (known !== undefined || !leases.isFreeFor(machine, address, nowMs))
    return { kind: 'nak', reason: `${address} is not its address here` }
  // A machine that renews what is free in our own range has outlived our lease file: it keeps its address rather than losing it to another.
  if (packet.ciaddr !== '0.0.0.0') return acknowledge(question, address, leases, settings, nowMs)
  return silent('rebooted with an address that we know nothing of')
}

function acknowledge(question: Question, address: string, leases: LeaseTable, settings: DhcpSettings, nowMs: number): Decision {
  leases.bind({ machine: question.machine, address, expiresAt: nowMs + settings.leaseSeconds * 1000 })
  const offer = planOffer(question.asked, { ...settings, address })
  return offer.kind === 'silent' ? offer : { kind: 'ack', offer }
}

const silent = (reason: string): Decision => ({ kind: 'silent', reason })

function isInSubnet(address: string, { serverAddress, prefixLength }: DhcpSettings): boolean {
  const mask = netmaskOf(prefixLength)
  return (parseIpv4(address) & mask) === (parseIpv4(serverAddress) & mask)
}
