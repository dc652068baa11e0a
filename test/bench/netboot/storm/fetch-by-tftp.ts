import { createSocket, type Socket } from 'node:dgram'
import { setTimeout as sleep } from 'node:timers/promises'

export interface TftpFetch {
  file: string
  server: string
  /** The machine's own address. */
  address: string
}

const blockBytes = 1432
/** Wait before the last message is sent again. */
const waitMs = 1000
const opcodes = { rrq: 1, data: 3, ack: 4, error: 5, oack: 6 } as const

/** A socket of an address that the kernel is just being given. */
async function bindSoon(address: string): Promise<Socket> {
  for (;;) {
    const socket = createSocket('udp4')
    const outcome = Promise.withResolvers<'bound' | Error>()
    socket.once('error', outcome.resolve)
    socket.bind(0, address, () => outcome.resolve('bound'))
    const how = await outcome.promise
    if (how === 'bound') return socket
    socket.close()
    if ((how as NodeJS.ErrnoException).code !== 'EADDRNOTAVAIL') throw how
    await sleep(5)
  }
}

/** Fetches a file as firmware does, one block at a time, and gives its bytes and how often a message had to be sent again. Throws when it is refused. */
export async function fetchByTftp({ file, server, address }: TftpFetch): Promise<{ bytes: number; repeated: number }> {
  const socket = await bindSoon(address)
  const done = Promise.withResolvers<{ bytes: number; repeated: number }>()
  let [bytes, repeated, awaited] = [0, 0, 1]
  let last: Buffer = Buffer.from(`\0\x01${file}\0octet\0blksize\0${blockBytes}\0tsize\x000\0`, 'latin1')
  let port = 69
  const send = (packet: Buffer) => {
    last = packet
    socket.send(packet, port, server)
  }
  const timer = setInterval(() => {
    repeated++
    send(last)
  }, waitMs)
  const acknowledge = (block: number) => send(Buffer.of(0, opcodes.ack, block >> 8, block & 0xff))
  socket.on('message', (packet, peer) => {
    port = peer.port
    timer.refresh()
    const opcode = packet.readUInt16BE(0)
    if (opcode === opcodes.error) return done.reject(new Error(`${file} was refused: ${packet.subarray(4).toString('latin1')}`))
    if (opcode === opcodes.oack) return acknowledge(0)
    const block = packet.readUInt16BE(2)
    if (opcode !== opcodes.data || block !== awaited) return
    awaited = (awaited + 1) & 0xffff
    bytes += packet.length - 4
    acknowledge(block)
    if (packet.length - 4 < blockBytes) done.resolve({ bytes, repeated })
  })
  send(last)
  try {
    return await done.promise
  } finally {
    clearInterval(timer)
    socket.close()
  }
}
