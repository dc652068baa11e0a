import type { Logger } from 'pino'
import type { Emit } from '../../event-log.ts'
import { serverPort } from './codes.ts'
import type { ConflictProbe } from './conflict-probe.ts'
import { decide, type Decision } from './decide.ts'
import type { LeaseFile } from './lease-file.ts'
import type { LeaseTable } from './lease-table.ts'
import type { Question } from './question.ts'
import { buildReply, replyDestination } from './reply.ts'
import type { Respond } from './server.ts'
import type { DhcpSettings } from './settings.ts'
import { tellAsked, tellElsewhere } from './tell-asked.ts'

export interface LeaseResponderOptions {
  settings: DhcpSettings
  leases: LeaseTable
  leaseFile: LeaseFile
  probe: ConflictProbe
  emit: Emit
}

/** DHCP mode: addresses are ours to give. */
export function createLeaseResponder({ settings, leases, leaseFile, probe, emit }: LeaseResponderOptions): Respond {
  return async (question, log) => {
    const decision = await decideWithoutConflict(question, log)
    tellAsked(question, emit, noteOf(decision))
    tellElsewhere(question, emit, settings.serverAddress)
    if (question.type === 'decline' && question.serverIdentifier === settings.serverAddress)
      emit({ machine: question.machine, hop: 'dhcp-declined', address: question.requestedAddress ?? '' })
    try {
      // What was decided must outlast a crash before the machine relies on it.
      if (decision.kind === 'ack' || question.type === 'release' || question.type === 'decline') await leaseFile.save(question.machine, leases.leaseOf(question.machine))
    } catch (error) {
      log.error({ err: error }, 'no DHCP answer: the lease could not be kept on disk')
      return undefined
    }
    if (decision.kind === 'silent') {
      if (decision.isPoolExhausted) log.warn({ reason: decision.reason }, 'no DHCP answer: widen the range or shorten the leases')
      else log.info({ type: question.type, reason: decision.reason }, 'no DHCP answer')
      return undefined
    }
    return {
      packet: buildReply(question, decision, settings),
      to: replyDestination(question, decision.kind),
      fromPort: serverPort,
      onSent: () => tellAnswered(question, decision, log),
    }
  }

  /** An offer of an address that somebody uses without a lease of ours is taken back before it is made, and the next one tried. */
  async function decideWithoutConflict(question: Question, log: Logger): Promise<Decision> {
    const { machine, packet } = question
    for (;;) {
      const decision = decide(question, leases, settings, Date.now())
      // Behind a relay nobody hears our question. A machine that has its address may be using it itself.
      if (decision.kind !== 'offer' || packet.giaddr !== '0.0.0.0' || leases.isBound(machine)) return decision
      const { address } = decision.offer
      const user = await probe.userOf(address).catch((error: unknown) => {
        log.error({ err: error, address }, 'could not look whether the address is in use: offered unseen')
        return undefined
      })
      if (user === undefined || user === machine) return decision
      log.warn({ address, user }, 'an address of the range is in use without a lease of ours, and left alone for ten minutes')
      // Another message of this machine may have come first.
      if (leases.addressOf(machine) === address) leases.decline(machine, Date.now())
    }
  }

  function noteOf(decision: Decision): string | undefined {
    if (decision.kind === 'silent') return decision.reason
    return decision.kind === 'offer' && decision.offer.kind === 'address' ? decision.offer.note : undefined
  }

  function tellAnswered({ machine }: Question, decision: Exclude<Decision, { kind: 'silent' }>, log: Logger): void {
    if (decision.kind === 'nak') {
      log.info({ reason: decision.reason }, 'refused an address')
      return emit({ machine, hop: 'dhcp-refused', reason: decision.reason })
    }
    const { offer } = decision
    if (offer.kind === 'address' && offer.note !== undefined) log.warn({ reason: offer.note }, 'offered an address but nothing to boot')
    const file = offer.kind === 'boot' ? offer.file : ''
    if (decision.kind === 'offer') emit({ machine, hop: 'dhcp-offer', address: offer.address, file })
    if (decision.kind === 'ack') emit({ machine, hop: 'dhcp-ack', address: offer.address, file })
  }
}
