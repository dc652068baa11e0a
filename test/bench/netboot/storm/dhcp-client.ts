import { createSocket, type Socket } from 'node:dgram'
import { randomInt } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { formatPacket, parsePacket, type Packet } from '../../../../server/netboot/dhcp/codec.ts'
import { broadcastFlag, clientPort, messageTypes, optionCodes, serverPort } from '../../../../server/netboot/dhcp/codes.ts'
import { parseIpv4 } from '../../../../server/netboot/ipv4.ts'

/** Asks for addresses on behalf of many machines. */
export interface DhcpClient {
  /** The ACK that a machine gets in the end. `options` tell what kind of firmware asks. */
  getAddress(machine: string, options: readonly (readonly [number, Buffer])[]): Promise<Packet>
  /** Messages that were sent again. */
  repeated(): number
  close(): void
}

/** First wait for an answer, doubled with each further try; iPXE's is the same, firmware's four seconds. */
const firstWaitMs = 1000

const bound = (socket: Socket, address: string) => new Promise<void>((resolve) => void socket.bind(clientPort, address, resolve))

/** Broadcasts from `address` and hears what is broadcast back. */
export async function openDhcpClient(address: string): Promise<DhcpClient> {
  const waiting = new Map<number, (answer: Packet) => void>()
  // Many machines are answered at once, and none of what is lost here is to count against a server.
  const [heard, own] = Array.from({ length: 2 }, () => createSocket({ type: 'udp4', reuseAddr: true, recvBufferSize: 4 * 1024 * 1024 })) as [Socket, Socket]
  heard.on('message', (datagram) => {
    const answer = parsePacket(datagram, 'reply')
    waiting.get(answer.xid)?.(answer)
  })
  await bound(heard, '0.0.0.0')
  await bound(own, address)
  own.setBroadcast(true)
  let repeated = 0

  async function ask(machine: string, type: number, options: readonly (readonly [number, Buffer])[]): Promise<Packet> {
    const xid = randomInt(1, 2 ** 32)
    const none = '0.0.0.0'
    const header = { op: 1 as const, hops: 0, xid, secs: 0, flags: broadcastFlag, ciaddr: none, yiaddr: none, siaddr: none, giaddr: none, chaddr: machine, sname: '', file: '' }
    const datagram = formatPacket({ ...header, options: new Map([[optionCodes.messageType, Buffer.of(type)], ...options]) })
    const answer = Promise.withResolvers<Packet>()
    waiting.set(xid, answer.resolve)
    try {
      for (let waitMs = firstWaitMs; ; waitMs *= 2) {
        own.send(datagram, serverPort, '255.255.255.255')
        const over = new AbortController()
        const first = await Promise.race([answer.promise, sleep(waitMs, undefined, { signal: over.signal }).catch(() => undefined)])
        over.abort()
        if (first !== undefined) return first
        repeated++
      }
    } finally {
      waiting.delete(xid)
    }
  }

  return {
    async getAddress(machine, options) {
      const offer = await ask(machine, messageTypes.discover, options)
      const wanted = Buffer.alloc(4)
      wanted.writeUInt32BE(parseIpv4(offer.yiaddr))
      const server = offer.options.get(optionCodes.serverIdentifier)
      if (server === undefined) throw new Error(`${machine} was made an offer by nobody`)
      const ack = await ask(machine, messageTypes.request, [...options, [optionCodes.requestedAddress, wanted], [optionCodes.serverIdentifier, server]])
      if (ack.options.get(optionCodes.messageType)?.[0] !== messageTypes.ack) throw new Error(`${machine} was refused ${offer.yiaddr}`)
      return ack
    },
    repeated: () => repeated,
    close() {
      heard.close()
      own.close()
    },
  }
}
