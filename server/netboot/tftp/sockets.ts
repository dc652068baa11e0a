// The only importer of the package `tftp2`: its sockets serve, its codec and its transfers do not.
import type { RemoteInfo, Socket } from 'node:dgram'
import Connection from 'tftp2/connection.js'
import Packet from 'tftp2/packet.js'
import Server from 'tftp2/server/index.js'
import { bindUdp } from '../udp.ts'

/** Opcodes of RFC 1350 section 5, and OACK of RFC 2347, which the package does not know. */
export const opcodes = {
  rrq: Packet.OPCODE.RRQ,
  wrq: Packet.OPCODE.WRQ,
  data: Packet.OPCODE.DATA,
  ack: Packet.OPCODE.ACK,
  error: Packet.OPCODE.ERROR,
  oack: 6,
} as const

/** Who sends and receives at the other end. */
export interface Peer {
  address: string
  port: number
}

/** The socket that takes requests. `onMessage` replaces the package's handling, which throws for short packets and hands raw paths on. */
export function createRequestSocket(onMessage: (message: Buffer, peer: Peer) => void): Socket {
  class RequestServer extends Server {
    override handleMessage(message: Buffer, peer: RemoteInfo): void {
      onMessage(message, peer)
    }
  }
  return new RequestServer()
}

/** One end of a transfer: its own port, which is the transfer identifier (RFC 1350, section 4). */
export interface TransferSocket {
  send(packet: Buffer): void
  /** Closes it once all is sent. */
  close(): void
}

export interface TransferSocketOptions {
  peer: Peer
  /** Address to send from: a client takes no answer from another than it asked. */
  localAddress: string
  onPacket: (packet: Buffer) => void
  /** Something that is not the peer wrote to this port. */
  onStranger: (stranger: Peer, refuse: (packet: Buffer) => void) => void
  onError: (error: Error) => void
}

export async function openTransferSocket({
  peer,
  localAddress,
  onPacket,
  onStranger,
  onError,
}: TransferSocketOptions): Promise<TransferSocket> {
  const connection = new Connection({ address: peer.address, port: peer.port })
  await bindUdp(connection as unknown as Socket, { number: 0, address: localAddress, service: 'TFTP', likely: 'none' })
  connection.on('error', onError)
  connection.on('message', (packet, sender) => {
    if (sender.address === peer.address && sender.port === peer.port) onPacket(packet)
    else onStranger(sender, (refusal) => connection.send(refusal, sender.port, sender.address))
  })
  let isOpen = true
  let unsent = 0
  const closeWhenSent = () => {
    if (!isOpen && unsent === 0) connection.close()
  }
  const onSent = (error: Error | null) => {
    unsent--
    if (error !== null) onError(error)
    closeWhenSent()
  }
  return {
    // Past the package's `sendPacket`, whose promise for each packet takes a tenth of the time that a block takes.
    send(packet) {
      if (!isOpen) return
      unsent++
      connection.send(packet, peer.port, peer.address, onSent)
    },
    close() {
      isOpen = false
      // Node drops what it has not sent yet when a socket closes.
      closeWhenSent()
    },
  }
}
