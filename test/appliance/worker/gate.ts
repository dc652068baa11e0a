import { createServer, connect, type Socket } from 'node:net'
import { onTestFinished } from 'vitest'

/** A way to a server that can be closed: the network between a worker and its server, while the server itself is well. */
export interface Gate {
  readonly url: string
  /** Cuts all connections and refuses new ones. */
  close(): void
  open(): void
  /** Cuts the connections that there are; new ones come through. */
  cut(): void
  /** Lets requests through and cuts their connections when the answer comes. */
  loseAnswers(): void
  /** Bytes that came from the server through it. */
  readonly receivedBytes: number
}

export async function openGate(serverUrl: string): Promise<Gate> {
  const { port, hostname } = new URL(serverUrl)
  const sockets = new Set<Socket>()
  let state: 'open' | 'closed' | 'loses-answers' = 'open'
  let receivedBytes = 0
  const cut = () => {
    for (const socket of sockets) socket.resetAndDestroy()
  }
  const gate = createServer((inner) => {
    if (state === 'closed') return void inner.resetAndDestroy()
    const outer = connect(Number(port), hostname)
    for (const [socket, other] of [[inner, outer], [outer, inner]] as const) {
      sockets.add(socket)
      socket.on('error', () => {})
      socket.on('close', () => {
        sockets.delete(socket)
        other.destroy()
      })
    }
    outer.on('data', (bytes) => {
      if (state === 'loses-answers') return void inner.resetAndDestroy()
      receivedBytes += bytes.length
      if (!inner.write(bytes)) outer.pause()
    })
    inner.on('drain', () => outer.resume())
    inner.pipe(outer)
  })
  await new Promise<void>((resolve) => gate.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    cut()
    gate.close()
  })
  return {
    url: `http://127.0.0.1:${(gate.address() as { port: number }).port}`,
    close() {
      state = 'closed'
      cut()
    },
    open() {
      state = 'open'
    },
    cut,
    loseAnswers() {
      state = 'loses-answers'
    },
    get receivedBytes() {
      return receivedBytes
    },
  }
}
