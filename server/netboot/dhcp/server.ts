import { createSocket, type Socket } from 'node:dgram'
import type { Logger } from 'pino'
import { describeAsked } from '../../../boot/offer.ts'
import type { Emit } from '../../event-log.ts'
import { bindUdp, requireFreePort } from '../udp.ts'
import { formatPacket, parsePacket, type Packet } from './codec.ts'
import { serverPort } from './codes.ts'
import { decide, type Decision, type DhcpSettings } from './decide.ts'
import type { LeaseFile } from './lease-file.ts'
import type { LeaseTable } from './lease-table.ts'
import { BadPacket } from './normalise.ts'
import { readQuestion, type Question } from './question.ts'
import { buildReply, replyDestination } from './reply.ts'

export interface DhcpServerOptions {
  settings: DhcpSettings
  leases: LeaseTable
  leaseFile: LeaseFile
  emit: Emit
  log: Logger
}

/**
 * Serves DHCP on the interface that has `settings.serverAddress`. Two sockets: one on every address hears broadcasts, one on the server's own
 * address hears relays and renewals, and sends, since what it broadcasts leaves by its own interface and by no other.
 * Throws an `IngotError` `port-in-use` when another program serves port 67, or this one may not.
 */
export async function startDhcpServer({ settings, leases, leaseFile, emit, log }: DhcpServerOptions): Promise<{ close(): Promise<void> }> {
  const port = { number: serverPort, service: 'DHCP', likely: 'dnsmasq, isc-dhcp-server, Kea or libvirt' }
  // The two sockets need SO_REUSEADDR beside each other, which would also let us share the port with another DHCP server unnoticed.
  await requireFreePort({ ...port, address: '0.0.0.0' })
  const everywhere = createSocket({ type: 'udp4', reuseAddr: true })
  const own = createSocket({ type: 'udp4', reuseAddr: true })
  const sockets = [everywhere, own]
  try {
    await bindUdp(everywhere, { ...port, address: '0.0.0.0' })
    await bindUdp(own, { ...port, address: settings.serverAddress })
  } catch (error) {
    await Promise.all(sockets.map(closeSocket))
    throw error
  }
  own.setBroadcast(true)
  /** Answers on their way; a lease may still be on its way to the disk. */
  const answers = new Set<Promise<void>>()
  for (const socket of sockets) {
    socket.on('error', (error) => log.error({ err: error }, 'the DHCP socket failed'))
    socket.on('message', (datagram) => {
      const answering = answer(datagram).finally(() => answers.delete(answering))
      answers.add(answering)
    })
  }

  async function answer(datagram: Buffer): Promise<void> {
    const question = read(datagram)
    if (question === undefined) return
    const machineLog = log.child({ machine: question.machine })
    tellAsked(question)
    const decision = decide(question, leases, settings, Date.now())
    try {
      // What was decided must outlast a crash before the machine relies on it.
      if (decision.kind === 'ack' || question.type === 'release' || question.type === 'decline') await leaseFile.save(() => leases.bound())
    } catch (error) {
      machineLog.error({ err: error }, 'no DHCP answer: the lease could not be kept on disk')
      return
    }
    if (decision.kind === 'silent') {
      if (decision.isPoolExhausted) machineLog.warn({ reason: decision.reason }, 'no DHCP answer: widen the range or shorten the leases')
      else machineLog.info({ type: question.type, reason: decision.reason }, 'no DHCP answer')
      return
    }
    await send(question, decision, machineLog)
  }

  function read(datagram: Buffer): Question | undefined {
    let packet: Packet
    try {
      packet = parsePacket(datagram)
    } catch (error) {
      if (!(error instanceof BadPacket)) throw error
      log.debug({ reason: error.message }, 'dropped a datagram that is no DHCP request')
      return undefined
    }
    return readQuestion(packet)
  }

  async function send(question: Question, decision: Exclude<Decision, { kind: 'silent' }>, machineLog: Logger): Promise<void> {
    const { address, port: toPort } = replyDestination(question, decision.kind)
    const reply = formatPacket(buildReply(question, decision, settings))
    await new Promise<void>((resolve) =>
      own.send(reply, toPort, address, (error) => {
        if (error === null) tellAnswered(question, decision, machineLog)
        else machineLog.error({ err: error, to: address }, 'the DHCP answer could not be sent')
        resolve()
      }),
    )
  }

  function tellAsked({ machine, type, asked, requestedAddress }: Question): void {
    if (type !== 'discover') return
    emit({
      machine,
      hop: 'dhcp-discover',
      architecture: describeAsked(asked),
      vendorClass: asked.vendorClass,
      address: requestedAddress ?? '',
    })
  }

  function tellAnswered({ machine }: Question, decision: Exclude<Decision, { kind: 'silent' }>, machineLog: Logger): void {
    if (decision.kind === 'nak') return machineLog.info({ reason: decision.reason }, 'refused an address')
    const { offer } = decision
    if (offer.kind === 'address' && offer.note !== undefined)
      machineLog.warn({ reason: offer.note }, 'offered an address but nothing to boot')
    const file = offer.kind === 'boot' ? offer.file : ''
    if (decision.kind === 'offer') emit({ machine, hop: 'dhcp-offer', address: offer.address, file })
    if (decision.kind === 'ack') emit({ machine, hop: 'dhcp-ack', address: offer.address, file })
  }

  return {
    async close() {
      for (const socket of sockets) socket.removeAllListeners('message')
      await Promise.allSettled(answers)
      await Promise.all(sockets.map(closeSocket))
    },
  }
}

const closeSocket = (socket: Socket) => new Promise<void>((resolve) => socket.close(() => resolve()))
