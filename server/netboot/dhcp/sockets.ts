import { createSocket, type Socket } from 'node:dgram'
import type { Logger } from 'pino'
import { CommandError, type Start, type StartedProgram } from '../../../appliance/run.ts'
import { IngotError } from '../../errors.ts'
import { bindUdp, requireFreePort } from '../udp.ts'
import { bootServicePort, serverPort } from './codes.ts'
import type { Arrival, Peer } from './question.ts'

export type DhcpPort = typeof serverPort | typeof bootServicePort

export interface DhcpSocketsOptions {
  /** The only interface whose broadcasts are heard, and the address on it that is answered from. */
  interfaceName: string
  address: string
  ports: readonly DhcpPort[]
  onDatagram: (datagram: Buffer, arrival: Arrival) => void
  start: Start
  log: Logger
}

export interface DhcpSockets {
  /** Sends from our address and `fromPort`; resolves when the datagram is out. */
  send(message: Buffer, to: Peer, fromPort: DhcpPort): Promise<void>
  close(): Promise<void>
}

const likely = 'dnsmasq, isc-dhcp-server, Kea or libvirt'

/** Room for some six hundred messages, which Linux counts twice: what a rack sends that is powered on at one moment, and no more than is answered before it asks again. */
const receiveBufferBytes = 256 * 1024

/**
 * Opens what DHCP needs on one interface. A socket on our own address hears relays, renewals and port 4011, and sends, since what it broadcasts
 * leaves by its own interface and by no other. Broadcasts come by way of `socat`, which can bind to an interface (SO_BINDTODEVICE) where Node
 * cannot: a socket of ours on every address would hear the office LAN too (F7).
 * Throws an `IngotError`: `port-in-use` when another program serves a port, or this one may not; `host-lacks` without socat.
 */
export async function openDhcpSockets({ interfaceName, address, ports, onDatagram, start, log }: DhcpSocketsOptions): Promise<DhcpSockets> {
  // The sockets need SO_REUSEADDR beside each other, which would also let us share the port with another DHCP server unnoticed.
  for (const number of ports) await requireFreePort({ number, address: '0.0.0.0', service: 'DHCP', likely })
  const own = new Map<DhcpPort, Socket>()
  const opened: Socket[] = []
  let broadcasts: StartedProgram | undefined
  let isClosing = false
  const close = async () => {
    isClosing = true
    broadcasts?.kill('SIGTERM')
    await broadcasts?.ended
    await Promise.all(opened.map((socket) => new Promise<void>((resolve) => socket.close(() => resolve()))))
  }
  const open = async (at: { number: number; address: string }, receive: (datagram: Buffer, peer: Peer) => void) => {
    const socket = createSocket({ type: 'udp4', reuseAddr: at.number !== 0, recvBufferSize: receiveBufferBytes })
    opened.push(socket)
    await bindUdp(socket, { ...at, service: 'DHCP', likely })
    socket.on('error', (error) => log.error({ err: error }, 'a DHCP socket failed'))
    socket.on('message', (datagram, { address: from, port }) => receive(datagram, { address: from, port }))
    return socket
  }
  try {
    for (const port of ports) {
      const socket = await open({ number: port, address }, (datagram, peer) => onDatagram(datagram, { port, isBroadcast: false, peer }))
      socket.setBroadcast(true)
      own.set(port, socket)
    }
    const nobody = { address: '0.0.0.0', port: 68 }
    const inlet = await open({ number: 0, address: '127.0.0.1' }, (datagram) => onDatagram(datagram, { port: serverPort, isBroadcast: true, peer: nobody }))
    broadcasts = await startBroadcastListener(interfaceName, inlet.address().port, start)
    void broadcasts.ended.then(({ lastLines }) => {
      if (!isClosing) log.error({ lastLines }, 'the listener for DHCP broadcasts ended: machines that start are not answered')
    })
  } catch (error) {
    await close()
    throw error
  }
  return {
    close,
    send: (message, to, fromPort) =>
      new Promise<void>((resolve, reject) => {
        const socket = own.get(fromPort)
        if (socket === undefined) return reject(new TypeError(`port ${fromPort} is not open`))
        socket.send(message, to.port, to.address, (error) => (error === null ? resolve() : reject(error)))
      }),
  }
}

/** Hands what is broadcast on the interface to a port of this host; resolves once it listens. */
async function startBroadcastListener(interfaceName: string, toPort: number, start: Start): Promise<StartedProgram> {
  const listening = Promise.withResolvers<void>()
  const from = `UDP4-RECV:${serverPort},reuseaddr,rcvbuf=${receiveBufferBytes},so-bindtodevice=${interfaceName}`
  // Should we be killed, it must not go on without us. Twice -d: it says when it is ready.
  const args = ['--pdeathsig', 'TERM', 'socat', '-d', '-d', '-u', from, `UDP4-SENDTO:127.0.0.1:${toPort}`]
  const onErrorLine = (line: string) => void (line.includes('starting data transfer loop') && listening.resolve())
  let program: StartedProgram
  try {
    program = await start('setpriv', args, { onErrorLine })
  } catch (error) {
    if (!(error instanceof CommandError)) throw error
    throw new IngotError('host-lacks', `DHCP broadcasts cannot be heard: ${error.message}`, { cause: error })
  }
  const failed = program.ended.then(({ lastLines }): never => {
    const reason = lastLines.at(-1) ?? 'socat ended'
    throw new IngotError('host-lacks', `DHCP broadcasts cannot be heard on ${interfaceName}: ${reason}; "apt install socat" if it is missing`)
  })
  await Promise.race([listening.promise, failed])
  return program
}
