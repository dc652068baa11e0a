import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { CommandError, type Run } from '../../appliance/run.ts'
import { IngotError } from '../errors.ts'

export interface CertificateRequest {
  /** Private key that the certificate is for, in PEM. */
  key: string
  commonName: string
  /** Extensions (RFC 5280, 4.2) as openssl reads them (x509v3_config(5)), for example `['basicConstraints=critical,CA:false']`. */
  extensions: readonly string[]
  days: number
  /** Paths of whose signature it gets; its own without. */
  signer?: { certificatePath: string; keyPath: string }
}

/**
 * Makes a certificate by the program openssl, and returns it in PEM. No key stands on a command line. Throws `IngotError` 'host-lacks' when there is no
 * such program.
 */
export async function makeCertificate({ key, commonName, extensions, days, signer }: CertificateRequest, run: Run): Promise<string> {
  // For nobody but us (mkdtemp(3)).
  const folder = await mkdtemp(join(tmpdir(), 'ingot-tls-'))
  const [keyPath, requestPath, certificatePath] = [join(folder, 'key'), join(folder, 'request'), join(folder, 'certificate')]
  try {
    await writeFile(keyPath, key, { mode: 0o600 })
    await writeFile(requestPath, ['[req]', 'prompt = no', 'distinguished_name = subject', 'x509_extensions = extensions', '[subject]', `CN = ${commonName}`, '[extensions]', ...extensions, ''].join('\n'))
    const signedBy = signer === undefined ? [] : ['-CA', signer.certificatePath, '-CAkey', signer.keyPath]
    await run('openssl', ['req', '-x509', '-config', requestPath, '-key', keyPath, '-sha256', '-days', String(days), '-out', certificatePath, ...signedBy])
    return await readFile(certificatePath, 'utf8')
  } catch (error) {
    if (error instanceof CommandError && error.exitCode === undefined) {
      throw new IngotError('host-lacks', `certificates are made by the program openssl, which does not run here (${error.message}); \`apt-get install openssl\`, or \`tls: off\` in the configuration`, { cause: error })
    }
    throw error
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}
