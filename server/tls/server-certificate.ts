import { X509Certificate, createPrivateKey } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Run } from '../../appliance/run.ts'
import { replaceFile } from '../durable-file.ts'
import { newKey, type Authority } from './authority.ts'
import type { Identity } from './given-certificate.ts'
import { makeCertificate } from './make-certificate.ts'
import { namesAll, renderAlternativeNames } from './server-names.ts'

/** What browsers take at most (CA/Browser Forum, Baseline Requirements 6.3.2). */
const certificateDays = 397
/** It is made anew this long before it ends. */
const leastDaysLeft = 60

export interface ServerCertificateOptions {
  dataDirectory: string
  authority: Authority
  /** What it must name. */
  names: readonly string[]
  /** What is shown now; another server of the same directory may have put its own into the file since. */
  shown?: Identity | undefined
  run: Run
  now?: () => number
}

export const serverCertificatePath = (dataDirectory: string): string => join(dataDirectory, 'tls', 'server.pem')

/**
 * The certificate of a server and its key, signed by the authority of its data directory: the one that is shown, or that of `tls/server.pem`, while it is good and
 * names all that it must, else a new one, which takes the place of the file. Nothing is lost with the file: whoever trusts the authority trusts the next.
 */
export async function openServerCertificate({ dataDirectory, authority, names, shown, run, now = Date.now }: ServerCertificateOptions): Promise<Identity> {
  const path = serverCertificatePath(dataDirectory)
  const authorityPem = authority.certificate.toString()
  const isFit = (pem: string): boolean => {
    const own = ownCertificate(pem)
    return own !== undefined && isGood(own, { authority, names, now: now() })
  }
  if (shown !== undefined && isFit(`${shown.key}${shown.certificate}`)) return shown
  const kept = await readFile(path, 'utf8').catch(() => '')
  if (isFit(kept)) return { key: kept, certificate: `${ownCertificate(kept)!.toString()}${authorityPem}` }
  const key = newKey()
  const extensions = [
    'basicConstraints = critical, CA:false',
    'keyUsage = critical, digitalSignature',
    'extendedKeyUsage = serverAuth',
    `subjectAltName = ${renderAlternativeNames(names)}`,
    'authorityKeyIdentifier = keyid',
  ]
  const certificate = await makeCertificate({ key, commonName: 'Ingot server', extensions, days: certificateDays, signer: authority }, run)
  await replaceFile(path, `${key}${certificate}`, { mode: 0o600 })
  return { key, certificate: `${certificate}${authorityPem}` }
}

/** The certificate in a file of key and certificate; nothing when either is missing, broken or does not fit the other. */
export function ownCertificate(pem: string): X509Certificate | undefined {
  try {
    const certificate = new X509Certificate(pem.slice(Math.max(0, pem.indexOf('-----BEGIN CERTIFICATE-----'))))
    return certificate.checkPrivateKey(createPrivateKey(pem)) ? certificate : undefined
  } catch {
    return undefined
  }
}

function isGood(certificate: X509Certificate, { authority, names, now }: { authority: Authority; names: readonly string[]; now: number }): boolean {
  const isSigned = certificate.checkIssued(authority.certificate) && certificate.verify(authority.certificate.publicKey)
  const lasts = Date.parse(certificate.validFrom) <= now && Date.parse(certificate.validTo) - now > leastDaysLeft * 86_400_000
  return isSigned && lasts && namesAll(certificate.subjectAltName, names)
}
