import { readFileSync } from 'node:fs'
import { Agent, type AgentOptions, type ClientRequestArgs } from 'node:http'
import type { Duplex } from 'node:stream'
import { faultOfPeer } from './check-peer.ts'
import { createHttpFetch, type HttpFetch } from './http-fetch.ts'

/** A connection that nothing goes over is kept for so long, in milliseconds: the next request then needs no handshake. */
const keptMs = 60_000

/** Without instructions for AES a processor does ChaCha20 several times faster; the server takes what comes first here. */
const suites = (hasAes: boolean): string => (hasAes ? 'TLS_AES_128_GCM_SHA256:TLS_CHACHA20_POLY1305_SHA256' : 'TLS_CHACHA20_POLY1305_SHA256:TLS_AES_128_GCM_SHA256')

const readHasAes = (): boolean => /^flags\s*:.* aes /m.test(readFileSync('/proc/cpuinfo', 'latin1'))

/**
 * `fetch` over HTTPS to servers whose own key, or whose authority's, has a fingerprint (see `faultOfPeer`); the connection to any other is closed before a
 * byte of the request is sent, and the promise rejects with what was expected and got. Connections are kept alive: one handshake, of TLS 1.3, serves the
 * ticket, the claim and what follows. Plain HTTP is refused.
 */
export const createPinnedFetch = (fingerprint: string): HttpFetch => createHttpFetch(new PinnedAgent(fingerprint))

/** `node:https` is not loaded for it: what it adds is this, and takes an emulated machine time on its way to the claim. */
class PinnedAgent extends Agent {
  readonly protocol = 'https:'
  readonly defaultPort = 443
  readonly #fingerprint: string
  #suites: string | undefined

  constructor(fingerprint: string) {
    super({ keepAlive: true, scheduling: 'lifo', timeout: keptMs })
    this.#fingerprint = fingerprint
  }

  override createConnection({ host, port }: ClientRequestArgs & AgentOptions, done: (error: Error | null, socket: Duplex) => void): undefined {
    // Asked for here: a worker that boots without TLS never loads it.
    const { connect } = process.getBuiltinModule('node:tls')
    this.#suites ??= suites(readHasAes())
    const name = host ?? ''
    const socket = connect({
      host: name,
      port: Number(port),
      // Our own check follows; Node's knows the authorities of the system alone, and loads them all.
      rejectUnauthorized: false,
      ca: [],
      minVersion: 'TLSv1.3',
      ciphers: this.#suites,
      // No hybrid of a post-quantum exchange, which is slow to emulate: what is kept secret here is worth nothing after a day.
      ecdhCurve: 'X25519:P-256',
    })
    socket.setNoDelay(true)
    const fail = (error: Error): void => done(error, socket)
    socket.once('error', fail)
    socket.once('secureConnect', () => {
      socket.off('error', fail)
      const fault = faultOfPeer(socket.getPeerX509Certificate(), { host: name, fingerprint: this.#fingerprint })
      if (fault === undefined) return done(null, socket)
      socket.destroy()
      done(new Error(fault), socket)
    })
    return undefined
  }
}
