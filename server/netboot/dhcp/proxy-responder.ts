import { architecturesOf, isBootClient } from '../../../boot/asked.ts'
import { planOffer, type ProxyOffer } from '../../../boot/offer.ts'
import { selectPolicy } from '../../../boot/policy.ts'
import type { Emit } from '../../event-log.ts'
import { buildProxyReply, proxyReplyDestination, replyPort } from './proxy-reply.ts'
import type { Question } from './question.ts'
import type { Respond } from './server.ts'
import type { BootSettings } from './settings.ts'
import { tellAsked, tellElsewhere } from './tell-asked.ts'

/** Addresses that were heard of, at most: the oldest are forgotten first. */
const mostAddresses = 10_000

/**
 * Proxy mode: another server gives addresses, and we say what to boot (PXE specification 2.1, section 2.2). `machineAt` tells whose an address is from
 * what machines say themselves when they take it.
 */
export function createProxyResponder(settings: BootSettings, emit: Emit): { respond: Respond; machineAt(ipv4: string): string | undefined } {
  const machines = new Map<string, string>()
  function hear({ type, packet, requestedAddress, machine }: Question): void {
    const address = packet.ciaddr === '0.0.0.0' ? requestedAddress : packet.ciaddr
    if (type !== 'request' || address === undefined) return
    machines.delete(address)
    machines.set(address, machine)
    for (const oldest of machines.keys()) {
      if (machines.size <= mostAddresses) break
      machines.delete(oldest)
    }
  }

  return {
    machineAt: (ipv4) => machines.get(ipv4),
    async respond(question, log) {
      hear(question)
      // Of operating systems we know nothing, since their addresses are none of ours.
      if (question.asked.service === 'dhcp' && isBootClient(question.asked)) tellElsewhere(question, emit, settings.serverAddress)
      if (!isForProxy(question)) return undefined
      const { asked, machine } = question
      const policy = selectPolicy(settings.policies, { machine, architectures: architecturesOf(asked) })
      const offer = planOffer(asked, { mode: 'proxy', httpUrl: settings.httpUrl, policy })
      if (offer.kind === 'silent') {
        log.info({ type: question.type, reason: offer.reason }, 'no proxyDHCP answer')
        if (isBootClient(asked)) tellAsked(question, emit, offer.reason)
        return undefined
      }
      tellAsked(question, emit, undefined)
      return {
        packet: buildProxyReply(question, offer, settings.serverAddress),
        to: proxyReplyDestination(question),
        fromPort: replyPort(question),
        onSent: () => tellAnswered(question, offer, emit),
      }
    },
  }
}

/** On port 67 a proxy answers DISCOVER alone; on port 4011 the REQUEST of those it invited, and INFORM, which some boot managers send. */
const isForProxy = ({ asked, type }: Question): boolean => (asked.service === 'dhcp' ? type === 'discover' : type === 'request' || type === 'inform')

function tellAnswered({ asked, machine, packet }: Question, offer: ProxyOffer, emit: Emit): void {
  const file = offer.kind === 'proxy' ? offer.file : ''
  if (asked.service === 'dhcp') emit({ machine, hop: 'dhcp-offer', address: '', file })
  else emit({ machine, hop: 'dhcp-ack', address: packet.ciaddr, file })
}
