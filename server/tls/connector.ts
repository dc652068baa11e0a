import { isIP } from 'node:net'
import { getCACertificates, TLSSocket } from 'node:tls'
import { buildConnector } from 'undici'
import { faultOfPeer } from '../../appliance/worker/check-peer.ts'

export interface ConnectorOptions {
  /** By which the server of a `host:port` shows to be the one; the authorities that Node knows are trusted for one that has none. */
  fingerprintOf?: (host: string) => string | undefined
  /** Authorities in PEM that are trusted beside those. */
  authorities?: readonly string[]
  /** Milliseconds for a connection; default 10,000. */
  timeoutMs?: number
}

/** How undici connects: to servers with a fingerprint by that alone, before a byte of a request is sent, and to others as Node does. */
export function createConnector({ fingerprintOf = () => undefined, authorities = [], timeoutMs = 10_000 }: ConnectorOptions): buildConnector.connector {
  const usual = buildConnector({ timeout: timeoutMs, ...(authorities.length === 0 ? {} : { ca: [...getCACertificates('default'), ...authorities] }) })
  // A session that is taken up again shows no chain, which could then not be checked.
  const unchecked = buildConnector({ timeout: timeoutMs, rejectUnauthorized: false, ca: [], minVersion: 'TLSv1.3', maxCachedSessions: 0 })
  return (options, done) => {
    // The default port is left out in one place, and stands in the other.
    const port = options.port === '' ? '443' : options.port
    const fingerprint = fingerprintOf(`${options.hostname}:${port}`) ?? (port === '443' ? fingerprintOf(options.hostname) : undefined)
    if (fingerprint === undefined || options.protocol !== 'https:') return usual(options, done)
    return unchecked(options, (...[error, socket]) => {
      if (error !== null) return done(error, null)
      const certificate = socket instanceof TLSSocket ? socket.getPeerX509Certificate() : undefined
      const fault = faultOfPeer(certificate, { host: hostOf(options.hostname), fingerprint })
      if (fault === undefined) return done(null, socket)
      socket.destroy()
      return done(new Error(fault), null)
    })
  }
}

/** An IPv6 address stands in brackets in a URL, and not in a certificate. */
const hostOf = (hostname: string): string => (isIP(hostname.slice(1, -1)) === 6 ? hostname.slice(1, -1) : hostname)
