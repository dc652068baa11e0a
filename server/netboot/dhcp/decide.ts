import { planOffer, type AddressOffer, type Silence } from '../../../boot/offer.ts'
import { architecturesOf } from '../../../boot/asked.ts'
import { selectPolicy } from '../../../boot/policy.ts'
import type { LeaseTable } from './lease-table.ts'
import { isInNetwork, networkOf, type BootNetwork } from './network.ts'
import type { Question } from './question.ts'
import type { DhcpSettings } from './settings.ts'

/** What becomes of one message. */
export type Decision =
  | (Silence & { isPoolExhausted?: true })
  | ({ kind: 'offer' | 'ack' } & Answer)
  /** Settings without a lease, for a machine that has its address from elsewhere. */
  | ({ kind: 'inform-ack' } & Answer)
  | { kind: 'nak'; reason: string }

interface Answer {
  offer: AddressOffer
  /** The network whose settings go with it. */
  network: BootNetwork
}

/** What a server does with each kind of message: RFC 2131, section 4.3. Changes `leases`; an `ack` must be sent only after they are on disk. */
export function decide(question: Question, leases: LeaseTable, settings: DhcpSettings, nowMs: number): Decision {
  const { machine, type, packet } = question
  switch (type) {
    case 'discover':
    case 'request':
    case 'inform':
      return decideAnswer(question, leases, settings, nowMs)
    case 'decline':
      if (question.serverIdentifier !== settings.serverAddress) return silent('declined an address of another server')
      leases.decline(machine, nowMs)
      return silent('found its address in use by another machine')
    case 'release':
      if (leases.addressOf(machine) !== packet.ciaddr) return silent('released an address that it does not have')
      leases.release(machine, nowMs)
      return silent('released its address')
    case 'offer':
    case 'ack':
    case 'nak':
      return silent(`a client sent ${type}`)
  }
}

function decideAnswer(question: Question, leases: LeaseTable, settings: DhcpSettings, nowMs: number): Decision {
  const network = networkOf(question, settings.networks)
  if (network === undefined) return silent(`the network of the relay agent ${question.packet.giaddr} is not configured`)
  const offerOf = offersFor(question, settings)
  // Whoever would not be answered takes no address either.
  const anyOffer = offerOf(question.packet.ciaddr)
  if (anyOffer.kind === 'silent') return anyOffer
  if (question.type === 'request') return decideRequest(question, { leases, settings, network, nowMs })
  // Not its boot file: a machine that only informs itself has started by other means.
  if (question.type === 'inform') return { kind: 'inform-ack', offer: { kind: 'address', address: question.packet.ciaddr }, network }
  const fits = (address: string) => isInNetwork(address, network)
  const offer = offerOf(leases.offer(question.machine, question.requestedAddress, nowMs, { range: network.range, fits }))
  return offer.kind === 'silent' ? { ...offer, isPoolExhausted: true } : { kind: 'offer', offer, network }
}

interface Circumstances {
  leases: LeaseTable
  settings: DhcpSettings
  network: BootNetwork
  nowMs: number
}

/** RFC 2131 section 4.3.2: which state the client is in shows in which of option 54, option 50 and ciaddr it sends. */
function decideRequest(question: Question, circumstances: Circumstances): Decision {
  const { machine, packet, serverIdentifier, requestedAddress } = question
  const { leases, settings, network, nowMs } = circumstances
  if (serverIdentifier !== undefined && serverIdentifier !== settings.serverAddress) {
    leases.withdraw(machine)
    return silent(`chose the DHCP server ${serverIdentifier}`)
  }
  const address = packet.ciaddr === '0.0.0.0' ? requestedAddress : packet.ciaddr
  if (address === undefined) return silent('asked for no address')
  const known = leases.addressOf(machine)
  const isFree = isInNetwork(address, network) && leases.isFreeFor(machine, address, nowMs)
  if (known === address && isFree) return acknowledge(question, address, circumstances)
  if (serverIdentifier !== undefined) return { kind: 'nak', reason: `asked for ${address} but was offered ${known ?? 'nothing'}` }
  if (!isInNetwork(address, network)) return { kind: 'nak', reason: `${address} is not of this network` }
  if (known !== undefined || !isFree) return { kind: 'nak', reason: `${address} is not its address here` }
  // A machine that renews what is free in our own range has outlived our lease file: it keeps its address rather than losing it to another.
  if (packet.ciaddr !== '0.0.0.0') return acknowledge(question, address, circumstances)
  return silent('rebooted with an address that we know nothing of')
}

function acknowledge(question: Question, address: string, { leases, settings, network, nowMs }: Circumstances): Decision {
  leases.bind({ machine: question.machine, address, expiresAt: nowMs + settings.leaseSeconds * 1000 })
  const offer = offersFor(question, settings)(address)
  return offer.kind === 'silent' ? offer : { kind: 'ack', offer, network }
}

const offersFor = ({ asked, machine }: Question, { httpUrl, policies }: DhcpSettings) => {
  const policy = selectPolicy(policies, { machine, architectures: architecturesOf(asked) })
  return (address: string | undefined) => planOffer(asked, { mode: 'dhcp', address, httpUrl, policy })
}

const silent = (reason: string): Decision => ({ kind: 'silent', reason })
