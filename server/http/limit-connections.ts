import type { Server, Socket } from 'node:net'

/** Connections at once, in all and from one address: a thousand workers behind one address, each with a few, are within it. */
const mostConnections = 16_384
const mostOfOneAddress = 8192

/** Keeps one address from taking all the connections that a server can have; a connection too many is closed at once. */
export function limitConnections(server: Server, { most = mostConnections, mostOfOne = mostOfOneAddress } = {}): void {
  server.maxConnections = most
  const open = new Map<string, number>()
  server.on('connection', (socket: Socket) => {
    const address = socket.remoteAddress ?? ''
    const count = (open.get(address) ?? 0) + 1
    if (count > mostOfOne) return socket.destroy()
    open.set(address, count)
    socket.once('close', () => {
      const left = open.get(address)! - 1
      if (left > 0) open.set(address, left)
      else open.delete(address)
    })
  })
}
