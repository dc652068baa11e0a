import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { run } from '../../../appliance/run.ts'

/** A certificate as somebody else makes it, with openssl alone. */
export interface GivenFiles {
  certificate: string
  key: string
}

/** Makes one into files `NAME.crt` and `NAME.key` of a folder. */
export async function makeGiven(folder: string, name: string, { names = 'IP:127.0.0.1,DNS:localhost', key }: { names?: string; key?: string } = {}): Promise<GivenFiles> {
  const files = { certificate: join(folder, `${name}.crt`), key: key ?? join(folder, `${name}.key`) }
  if (key === undefined) await run('openssl', ['ecparam', '-name', 'prime256v1', '-genkey', '-noout', '-out', files.key])
  await run('openssl', ['req', '-x509', '-key', files.key, '-subj', '/CN=given', '-addext', `subjectAltName=${names}`, '-days', '30', '-out', files.certificate])
  return files
}

/** A folder that goes with the test. */
export async function testFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'ingot-tls-test-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true, maxRetries: 10 }))
  return folder
}
