import type { KeyObject, X509Certificate } from 'node:crypto'
import { isIP } from 'node:net'

/** Who a server must show to be. */
export interface ExpectedPeer {
  /** Name or address that it was asked at, for example `10.77.0.1`. */
  host: string
  /** Of its own key, or of the authority that signed for it: `sha256:` and 64 hexadecimal digits. */
  fingerprint: string
}

/** A machine that has just booted has the time of its first computer to the second, and a certificate may be as young. */
const clockToleranceMs = 24 * 3600 * 1000

/**
 * The fingerprint of a public key, `sha256:9f86…`: that of its SubjectPublicKeyInfo in DER, as RFC 7469 (2.4) pins keys. A certificate that is made anew
 * for the same key keeps it.
 */
export const fingerprintOf = (key: KeyObject): string =>
  // Asked for here: a worker that boots without TLS never loads it.
  `sha256:${process.getBuiltinModule('node:crypto').hash('sha256', key.export({ type: 'spki', format: 'der' }))}`

/**
 * What speaks against the certificate that a server has shown, with what was expected and what was got; nothing when it is the one that is meant. That the
 * server holds the key of its certificate, TLS itself has made sure of. No authority of the system counts: the fingerprint alone says whom to trust.
 */
export function faultOfPeer(certificate: X509Certificate | undefined, { host, fingerprint }: ExpectedPeer, now: number = Date.now()): string | undefined {
  if (certificate === undefined) return `${host} has shown no certificate`
  const own = fingerprintOf(certificate.publicKey)
  // The very key that is meant, whatever names and dates somebody has signed for it.
  if (own === fingerprint) return undefined
  const authority = certificate.issuerCertificate
  const got = authority === undefined ? own : fingerprintOf(authority.publicKey)
  if (authority === undefined || got !== fingerprint) return `the certificate of ${host}: expected one of the authority ${fingerprint}, got one of ${got}`
  if (!certificate.verify(authority.publicKey)) return `the certificate of ${host}: expected the signature of ${fingerprint}, got another`
  const named = isIP(host) === 0 ? certificate.checkHost(host, { subject: 'never' }) : certificate.checkIP(host)
  if (named === undefined) return `the certificate of ${host}: expected that name in it, got ${certificate.subjectAltName ?? 'none'}`
  const [from, to] = [Date.parse(certificate.validFrom), Date.parse(certificate.validTo)]
  if (now < from - clockToleranceMs || now > to) return `the certificate of ${host}: expected one for now, ${new Date(now).toISOString()}, got one from ${new Date(from).toISOString()} to ${new Date(to).toISOString()}`
  return undefined
}
