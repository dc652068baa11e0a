/** What Ingot uses of the package `tftp2` 0.0.1, which brings no types. */
declare module 'tftp2/server/index.js' {
  import type { RemoteInfo, Socket } from 'node:dgram'
  /** Calls `handleMessage`, which it looks up when it is made, for each datagram. */
  const Server: new () => Socket & { handleMessage(message: Buffer, peer: RemoteInfo): void }
  export default Server
}

declare module 'tftp2/connection.js' {
  import type { Socket } from 'node:dgram'
  /** A socket of its own for one transfer; `rinfo` is the peer. Its `address` is the peer's, not the method of a socket. */
  const Connection: new (rinfo: {
    address: string
    port: number
  }) => Omit<Socket, 'address'> & { sendPacket(data: Buffer): Promise<number> }
  export default Connection
}

declare module 'tftp2/packet.js' {
  const Packet: { OPCODE: { RRQ: 1; WRQ: 2; DATA: 3; ACK: 4; ERROR: 5 }; createAck(block: number): Buffer }
  export default Packet
}
