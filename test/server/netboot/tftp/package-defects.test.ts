import { createSocket, type RemoteInfo, type Socket } from 'node:dgram'
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'
import { pino } from 'pino'
import { afterEach, describe, expect, it } from 'vitest'
import { start } from '../../../../appliance/run.ts'
import { formatData, formatError } from '../../../../server/netboot/tftp/packets.ts'
import { startTftpServer } from '../../../../server/netboot/tftp/server.ts'

/*
 * Each defect of the package `tftp2` 0.0.1 that Ingot covers: the check holds for our layer and fails for the package alone, so that a
 * version that mends one of them shows here.
 */

const cleanUps: (() => unknown)[] = []
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp()
})

async function serveOurs(): Promise<number> {
  const server = await startTftpServer({
    address: '127.0.0.1',
    port: 0,
    mtuBytes: 1500,
    files: new Map([['file', { bytes: Buffer.alloc(1000, 'x') }]]),
    onEvent: () => undefined,
    log: pino({ level: 'silent' }),
  })
  cleanUps.push(() => server.close())
  return server.port
}

async function serveBare(): Promise<number> {
  const { promise: ready, resolve } = Promise.withResolvers<{ port: number }>()
  const server = await start(process.execPath, [fileURLToPath(new URL('bare-server.ts', import.meta.url))], {
    onMessage: (message) => resolve(message as { port: number }),
  })
  cleanUps.push(async () => {
    server.kill('SIGKILL')
    await server.ended
  })
  return (await ready).port
}

interface Received {
  packet: Buffer
  from: RemoteInfo
}
/** A socket that keeps what it receives. `next` rejects when nothing comes for 2.5 seconds, longer than our first retransmission takes. */
async function openClient(): Promise<{ socket: Socket; send(packet: Buffer, port: number, address?: string): void; next(): Promise<Received> }> {
  const socket = createSocket('udp4')
  cleanUps.push(() => new Promise<void>((resolve) => socket.close(() => resolve())))
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve))
  const received: Received[] = []
  const waiting: ((one: Received) => void)[] = []
  socket.on('message', (packet, from) => {
    const wait = waiting.shift()
    if (wait === undefined) received.push({ packet, from })
    else wait({ packet, from })
  })
  return {
    socket,
    send: (packet, port, address = '127.0.0.1') => socket.send(packet, port, address),
    next() {
      const one = received.shift()
      if (one !== undefined) return Promise.resolve(one)
      return new Promise((resolve, reject) => {
        const timer = setTimeout(() => reject(new Error('nothing came')), 2500)
        waiting.push((got) => (clearTimeout(timer), resolve(got)))
      })
    },
  }
}

const readRequest = (options = '') => Buffer.from(`\0\x01file\0octet\0${options}`)
const data = (block: number) => 0x0003_0000 + block
const head = ({ packet }: Received) => packet.readUInt32BE()

const checks: [title: string, check: (port: number) => Promise<void>][] = [
  ...[Buffer.alloc(0), Buffer.of(0), Buffer.of(0, 4)].map((bytes): [string, (port: number) => Promise<void>] => [
    `a datagram of ${bytes.length} bytes does not end the service`,
    async (port) => {
      const client = await openClient()
      client.send(bytes, port)
      client.send(readRequest(), port)
      expect(head(await client.next())).toBe(data(1))
    },
  ]),
  [
    'options are answered',
    async (port) => {
      const client = await openClient()
      client.send(readRequest('blksize\x001024\0'), port)
      expect((await client.next()).packet.toString()).toBe('\0\x06blksize\x001024\0')
    },
  ],
  [
    'a block that is not acknowledged is sent again',
    async (port) => {
      const client = await openClient()
      client.send(readRequest(), port)
      expect([head(await client.next()), head(await client.next())]).toEqual([data(1), data(1)])
    },
  ],
  [
    'the same request twice is one transfer',
    async (port) => {
      const client = await openClient()
      client.send(readRequest(), port)
      client.send(readRequest(), port)
      const [first, second] = [await client.next(), await client.next()]
      expect(second.from.port).toBe(first.from.port)
    },
  ],
  [
    'a stranger cannot acknowledge, and is told so',
    async (port) => {
      const [client, stranger] = [await openClient(), await openClient()]
      client.send(readRequest(), port)
      const { from } = await client.next()
      stranger.send(Buffer.of(0, 4, 0, 1), from.port)
      expect(head(await stranger.next())).toBe(0x0005_0005)
    },
  ],
  [
    'files are not taken',
    async (port) => {
      const client = await openClient()
      client.send(Buffer.from('\0\x02file\0octet\0'), port)
      expect(head(await client.next())).toBe(0x0005_0004)
    },
  ],
  [
    'a path is looked up, and never handed on',
    async (port) => {
      const client = await openClient()
      client.send(Buffer.from('\0\x01../file\0octet\0'), port)
      expect(head(await client.next())).toBe(0x0005_0001)
    },
  ],
  [
    'a client that ends the transfer is sent nothing more',
    async (port) => {
      const client = await openClient()
      client.send(readRequest(), port)
      const { from } = await client.next()
      client.send(Buffer.of(0, 5, 0, 3, 0), from.port)
      client.send(Buffer.of(0, 4, 0, 1), from.port)
      await expect(client.next()).rejects.toThrow('nothing came')
    },
  ],
  [
    'the port of a transfer that is over is closed',
    async (port) => {
      const client = await openClient()
      client.send(readRequest(), port)
      const { from } = await client.next()
      for (const block of [1, 2]) client.send(Buffer.of(0, 4, 0, block), from.port)
      await client.next()
      // The kernel tells a connected socket that nobody is there any more.
      const refused = new Promise<string | undefined>((resolve, reject) => {
        const knock = createSocket('udp4')
        knock.on('error', ({ code }: NodeJS.ErrnoException) => resolve(code))
        knock.connect(from.port, '127.0.0.1', () => {
          const again = setInterval(() => knock.send(Buffer.of(0, 4, 0, 2)), 100)
          const gaveUp = setTimeout(() => reject(new Error('nobody refused')), 2500)
          cleanUps.push(() => (clearInterval(again), clearTimeout(gaveUp), knock.close()))
        })
      })
      expect(await refused).toBe('ECONNREFUSED')
    },
  ],
  [
    'one address has 64 transfers at most',
    async (port) => {
      const clients = await Promise.all(Array.from({ length: 64 }, openClient))
      for (const client of clients) client.send(readRequest(), port)
      for (const client of clients) expect(head(await client.next())).toBe(data(1))
      const last = await openClient()
      last.send(readRequest(), port)
      await expect(last.next()).rejects.toThrow('nothing came')
    },
  ],
  [
    'only the address given is served',
    async (port) => {
      const client = await openClient()
      client.send(readRequest(), port, '127.0.0.2')
      await expect(client.next()).rejects.toThrow('nothing came')
    },
  ],
]

describe.each(checks)('%s', (_, check) => {
  it('by our layer', async () => check(await serveOurs()))
  it('not by the package alone', async () => {
    const port = await serveBare()
    await expect(check(port)).rejects.toThrow()
  })
})

it('the package alone is asked in a way that works where it has no defect', async () => {
  const port = await serveBare()
  const client = await openClient()
  client.send(readRequest(), port)
  const { packet, from } = await client.next()
  expect(packet.readUInt32BE()).toBe(data(1))
  client.send(Buffer.of(0, 4, 0, 1), from.port)
  expect(head(await client.next())).toBe(data(2))
})

describe('writing packets', () => {
  const bare = createRequire(import.meta.url)('tftp2/packet.js') as {
    createData(block: number, data: Buffer): Buffer
    encode(packet: object): Buffer
  }
  it('block 65536 is 0 on the wire, where the package throws', () => {
    expect(formatData(65_536, Buffer.alloc(1)).readUInt16BE(2)).toBe(0)
    expect(() => bare.createData(65_536, Buffer.alloc(1))).toThrow(RangeError)
  })
  it('a block is as long as it is, where the package cuts at 512 bytes', () => {
    expect(formatData(1, Buffer.alloc(1428))).toHaveLength(1432)
    expect(bare.createData(1, Buffer.alloc(1428))).toHaveLength(516)
  })
  it('an ERROR can be written, where the package throws', () => {
    expect(formatError(1, 'no such file').readUInt32BE()).toBe(0x0005_0001)
    expect(() => bare.encode({ opcode: 5, code: 1, message: 'no such file' })).toThrow(TypeError)
  })
})
