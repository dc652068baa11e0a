import type { Logger } from 'pino'
import type { Start } from '../../../appliance/run.ts'
import { formatPacket, parsePacket, type Packet } from './codec.ts'
import { BadPacket } from './normalise.ts'
import { readQuestion, type Arrival, type Peer, type Question } from './question.ts'
import { openDhcpSockets, type DhcpPort } from './sockets.ts'

/** An answer with all that sending it takes. */
export interface Reply {
  packet: Packet
  to: Peer
  fromPort: DhcpPort
  /** Called when it is out. */
  onSent: () => void
}

/** What is answered to a message, or undefined for silence, whose reason is in the log. */
export type Respond = (question: Question, log: Logger) => Promise<Reply | undefined>

export interface DhcpServerOptions {
  interfaceName: string
  /** Our address on the interface. */
  serverAddress: string
  ports: readonly DhcpPort[]
  respond: Respond
  start: Start
  log: Logger
}

/** Serves DHCP, or what `respond` makes of it, on one interface. Throws like `openDhcpSockets`. */
export async function startDhcpServer({ interfaceName, serverAddress, ports, respond, start, log }: DhcpServerOptions): Promise<{ close(): Promise<void> }> {
  /** Answers on their way; a lease may still be on its way to the disk. */
  const answers = new Set<Promise<void>>()
  /** The messages that they answer: who repeats one of them is answered by the same. */
  const underWay = new Set<string>()
  let isClosing = false
  const sockets = await openDhcpSockets({
    interfaceName,
    address: serverAddress,
    ports,
    onDatagram(datagram, arrival) {
      if (isClosing) return
      const answering = answer(datagram, arrival)
        // One message that cannot be answered is no reason to leave all the others unanswered.
        .catch((error: unknown) => log.error({ err: error, from: arrival.peer }, 'a DHCP message could not be answered'))
        .finally(() => answers.delete(answering))
      answers.add(answering)
    },
    start,
    log,
  })

  async function answer(datagram: Buffer, arrival: Arrival): Promise<void> {
    const question = read(datagram, arrival)
    if (question === undefined) return
    const message = `${question.machine} ${question.packet.xid} ${question.type} ${arrival.port}`
    if (underWay.has(message)) return
    underWay.add(message)
    try {
      await answerQuestion(question)
    } finally {
      underWay.delete(message)
    }
  }

  async function answerQuestion(question: Question): Promise<void> {
    const machineLog = log.child({ machine: question.machine })
    const reply = await respond(question, machineLog)
    if (reply === undefined) return
    try {
      await sockets.send(formatPacket(reply.packet), reply.to, reply.fromPort)
    } catch (error) {
      return machineLog.error({ err: error, to: reply.to }, 'the DHCP answer could not be sent')
    }
    reply.onSent()
  }

  function read(datagram: Buffer, arrival: Arrival): Question | undefined {
    let packet: Packet
    try {
      packet = parsePacket(datagram)
    } catch (error) {
      if (!(error instanceof BadPacket)) throw error
      log.debug({ reason: error.message }, 'dropped a datagram that is no DHCP request')
      return undefined
    }
    return readQuestion(packet, arrival)
  }

  return {
    async close() {
      isClosing = true
      await Promise.allSettled(answers)
      await sockets.close()
    },
  }
}
