import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import { onTestFinished } from 'vitest'

/** The line between a worker and its server, on which something happens at a certain byte of what the worker sends, over all connections. */
export interface Wire {
  readonly url: string
  /** Bytes that went to the server. */
  readonly sentBytes: number
  /** Happens once this many bytes have gone, before the next one goes; what is sent meanwhile is lost or waits, as `act` makes it. */
  at(sentBytes: number, act: () => void): void
  /** Turns one bit over in the byte that goes after this many. */
  flipAfter(sentBytes: number, bit: number): void
  /** Cuts all connections, as a cable does. New ones come through. */
  cut(): void
}

export async function openWire(serverUrl: string): Promise<Wire> {
  const port = Number(new URL(serverUrl).port)
  const pairs = new Set<{ inner: Socket; outer: Socket }>()
  const marks: { bytes: number; act: () => void }[] = []
  const flips: { bytes: number; bit: number }[] = []
  let sentBytes = 0

  const cut = () => {
    for (const { inner, outer } of pairs) {
      inner.resetAndDestroy()
      outer.destroySoon()
    }
    pairs.clear()
  }
  const send = (outer: Socket, piece: Buffer): boolean => {
    for (const { bytes, bit } of flips) {
      const index = bytes - sentBytes
      if (index >= 0 && index < piece.length) piece[index]! ^= 1 << bit
    }
    sentBytes += piece.length
    return outer.write(piece)
  }
  /** Sends what comes before the next mark, lets that happen, and goes on with the rest if the connection is still there. */
  const pass = (pair: { inner: Socket; outer: Socket }, piece: Buffer): void => {
    const mark = marks[0]
    if (mark === undefined || mark.bytes >= sentBytes + piece.length) {
      if (!send(pair.outer, piece)) pair.inner.pause()
      return
    }
    const before = Math.max(0, mark.bytes - sentBytes)
    send(pair.outer, piece.subarray(0, before))
    marks.shift()!.act()
    if (pairs.has(pair)) pass(pair, piece.subarray(before))
  }

  const server = createServer((inner) => {
    const outer = connect(port, '127.0.0.1')
    const pair = { inner, outer }
    pairs.add(pair)
    for (const [socket, other] of [[inner, outer], [outer, inner]] as const) {
      socket.on('error', () => {})
      socket.on('close', () => {
        pairs.delete(pair)
        other.destroy()
      })
    }
    inner.on('data', (piece: Buffer) => pass(pair, piece))
    outer.on('drain', () => inner.resume())
    outer.pipe(inner)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    cut()
    server.close()
  })
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    get sentBytes() {
      return sentBytes
    },
    at: (bytes, act) => void marks.push({ bytes, act }),
    flipAfter: (bytes, bit) => void flips.push({ bytes, bit }),
    cut,
  }
}
