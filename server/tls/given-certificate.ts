import { createPrivateKey, X509Certificate, type KeyObject } from 'node:crypto'
import { readFileSync } from 'node:fs'
import type { Fault } from '../../images/fault.ts'
import { fingerprintOf } from '../../appliance/worker/check-peer.ts'

/** Paths of a certificate and its private key, in PEM. */
export interface CertificateFiles {
  certificatePath: string
  keyPath: string
}

/** What a TLS server shows and signs with. */
export interface Identity {
  /** PEM: its own certificate, then those that it leads to. */
  certificate: string
  /** PEM. */
  key: string
}

/** A certificate that somebody else made. Clients are told of its own key: who signed for it, machines cannot know. */
export interface GivenCertificate extends Identity {
  fingerprint: string
  /** The certificate itself, without those that follow. */
  own: X509Certificate
}

/** Reads a certificate and its key, which must fit each other and be good now; else what is wrong, `path` being `certificate` or `key`. */
export function readGivenCertificate({ certificatePath, keyPath }: CertificateFiles, now: number = Date.now()): GivenCertificate | { fault: Fault } {
  const fault = (field: string, expected: string, got: string) => ({ fault: { path: [field], expected, got } })
  const [certificate, key] = [readText(certificatePath), readText(keyPath)]
  if ('reason' in certificate) return fault('certificate', 'a certificate in PEM', certificate.reason)
  let own: X509Certificate
  try {
    own = new X509Certificate(certificate.text)
  } catch (error) {
    return fault('certificate', 'a certificate in PEM', `${certificatePath}, which cannot be read as one: ${(error as Error).message}`)
  }
  if ('reason' in key) return fault('key', 'a private key in PEM', key.reason)
  let privateKey: KeyObject
  try {
    privateKey = createPrivateKey(key.text)
  } catch (error) {
    // OpenSSL tells what is wrong and nothing of the key itself.
    return fault('key', 'a private key in PEM without a password', `${keyPath}, which cannot be read as one: ${(error as Error).message}`)
  }
  if (!own.checkPrivateKey(privateKey)) return fault('key', `the private key of the certificate ${certificatePath}`, `${keyPath}, which is that of another`)
  if (Date.parse(own.validTo) < now) return fault('certificate', 'a certificate that is good now', `${certificatePath}, which ended ${new Date(own.validTo).toISOString()}`)
  if (Date.parse(own.validFrom) > now) return fault('certificate', 'a certificate that is good now', `${certificatePath}, which begins ${new Date(own.validFrom).toISOString()}`)
  return { certificate: certificate.text, key: key.text, fingerprint: fingerprintOf(own.publicKey), own }
}

function readText(path: string): { text: string } | { reason: string } {
  try {
    return { text: readFileSync(path, 'utf8') }
  } catch (error) {
    return { reason: `a file that cannot be read: ${(error as Error).message}` }
  }
}
