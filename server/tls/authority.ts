import { createPrivateKey, generateKeyPairSync, X509Certificate, type KeyObject } from 'node:crypto'
import { readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { fingerprintOf } from '../../appliance/worker/check-peer.ts'
import type { Run } from '../../appliance/run.ts'
import { createFile, replaceFile } from '../durable-file.ts'
import { IngotError } from '../errors.ts'
import { readPrivateFile } from '../private-file.ts'
import { makeCertificate } from './make-certificate.ts'

/** The authority of a data directory, which signs for its servers. */
export interface Authority {
  /** Of its key (see `fingerprintOf`): what machines and commands trust. It stays when its certificate is made anew. */
  fingerprint: string
  certificate: X509Certificate
  certificatePath: string
  keyPath: string
}

const certificateDays = 20 * 365
/** It must outlast whatever it signs by far. */
const leastDaysLeft = 2 * 365

export const authorityPaths = (dataDirectory: string) => ({ keyPath: join(dataDirectory, 'tls', 'authority.key'), certificatePath: join(dataDirectory, 'tls', 'authority.crt') })

/** A fresh private key on P-256, in PEM (PKCS#8). */
export const newKey = (): string => generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ type: 'pkcs8', format: 'pem' }) as string

/**
 * The authority of a data directory, made at the first start: `tls/authority.key` (ECDSA on P-256, PKCS#8; for nobody but its owner) and
 * `tls/authority.crt`. Of any number of servers that share the directory one makes it. Files that are broken are left as they are: throws `IngotError`
 * 'data-invalid' with file, expected, got. Throws 'host-lacks' without openssl.
 */
export async function openAuthority(dataDirectory: string, { run, now = Date.now }: { run: Run; now?: () => number }): Promise<Authority> {
  const { keyPath, certificatePath } = authorityPaths(dataDirectory)
  const found = await exists(certificatePath)
  if (!(await exists(keyPath))) {
    if (found) throw invalid(keyPath, `the private key of ${certificatePath} beside it`, 'no file')
    await createFile(keyPath, newKey(), { mode: 0o600 })
  }
  const { key, pem } = await readKey(keyPath)
  const make = (): Promise<string> =>
    makeCertificate({ key: pem, commonName: 'Ingot authority', extensions: ['basicConstraints = critical, CA:true, pathlen:0', 'keyUsage = critical, keyCertSign', 'subjectKeyIdentifier = hash'], days: certificateDays }, run)
  if (!(await exists(certificatePath))) await createFile(certificatePath, await make())
  let certificate = await readCertificate(certificatePath, key, keyPath)
  if (Date.parse(certificate.validTo) - now() < leastDaysLeft * 86_400_000) {
    await replaceFile(certificatePath, await make())
    certificate = await readCertificate(certificatePath, key, keyPath)
  }
  return { fingerprint: fingerprintOf(certificate.publicKey), certificate, certificatePath, keyPath }
}

/** The certificate of the authority of a data directory; throws `IngotError` 'data-invalid' when there is none yet, or none that can be read. */
export async function readAuthorityCertificate(dataDirectory: string): Promise<X509Certificate> {
  const { certificatePath } = authorityPaths(dataDirectory)
  if (!(await exists(certificatePath))) throw invalid(certificatePath, 'a certificate, which `ingot serve` makes when it starts', 'no file')
  return parseCertificate(await readText(certificatePath), certificatePath)
}

async function readKey(path: string): Promise<{ key: KeyObject; pem: string }> {
  const pem = await readPrivateFile(path)
  let key: KeyObject
  try {
    key = createPrivateKey(pem)
  } catch (error) {
    throw invalid(path, 'a private key in PEM', `something that cannot be read: ${(error as Error).message}`)
  }
  return { key, pem }
}

async function readCertificate(path: string, key: KeyObject, keyPath: string): Promise<X509Certificate> {
  const certificate = parseCertificate(await readText(path), path)
  if (!certificate.checkPrivateKey(key)) throw invalid(path, `a certificate of the key ${keyPath}`, 'one of another key')
  return certificate
}

function parseCertificate(pem: string, path: string): X509Certificate {
  try {
    return new X509Certificate(pem)
  } catch (error) {
    throw invalid(path, 'a certificate in PEM', `something that cannot be read: ${(error as Error).message}`)
  }
}

async function readText(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    throw new IngotError('data-invalid', `${path} cannot be read: ${(error as Error).message}`, { cause: error })
  }
}

const exists = (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    (error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return false
      throw error
    },
  )

const remedy = 'put it back from a copy, or move the folder `tls` away: then machines and commands must learn another fingerprint'
const invalid = (path: string, expected: string, got: string): IngotError => new IngotError('data-invalid', `${path}: expected ${expected}, got ${got}; ${remedy}`)
