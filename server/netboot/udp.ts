import { createSocket, type Socket } from 'node:dgram'
import { IngotError } from '../errors.ts'

export interface UdpPort {
  /** For example 67. */
  number: number
  address: string
  /** What is to be served on it, for example `DHCP`. */
  service: string
  /** Which programs are likely to hold it, for the error. */
  likely: string
}

/** Binds a socket. Throws an `IngotError` `port-in-use` that says which port, who is likely to hold it and what to do. */
export async function bindUdp(socket: Socket, { number, address, service, likely }: UdpPort): Promise<void> {
  const bound = Promise.withResolvers<void>()
  socket.once('error', bound.reject)
  socket.bind({ port: number, address, exclusive: true }, () => bound.resolve())
  try {
    await bound.promise
  } catch (error) {
    const where = `UDP port ${number} (${service}) on ${address}`
    const { code } = error as NodeJS.ErrnoException
    if (code === 'EADDRINUSE') {
      const advice = `see who holds it with "ss -lnup sport = :${number}" (likely ${likely}) and stop it, or serve another interface`
      throw new IngotError('port-in-use', `${where} is in use by another program: ${advice}`, { cause: error })
    }
    if (code === 'EACCES') {
      const advice = 'run as root, or give the program CAP_NET_BIND_SERVICE'
      throw new IngotError('port-in-use', `${where} may not be opened by this user: ${advice}`, { cause: error })
    }
    if (code === 'EADDRNOTAVAIL')
      throw new IngotError('host-lacks', `${where} cannot be opened: this host has no address ${address}`, { cause: error })
    throw error
  } finally {
    socket.off('error', bound.reject)
  }
}

/** Throws like `bindUdp` when any program holds the port, also one that shares it by SO_REUSEADDR. */
export async function requireFreePort(port: UdpPort): Promise<void> {
  const probe = createSocket('udp4')
  try {
    await bindUdp(probe, port)
  } finally {
    await new Promise<void>((resolve) => probe.close(() => resolve()))
  }
}
