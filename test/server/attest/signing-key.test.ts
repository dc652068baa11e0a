import { generateKeyPairSync } from 'node:crypto'
import { chmod, readFile, stat, unlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { run } from '../../../appliance/run.ts'
import { openSigningKey } from '../../../server/attest/signing-key.ts'
import { temporaryFolder } from './signed-image.ts'

const setUp = async () => {
  const data = await temporaryFolder()
  return { data, path: join(data, 'signing-key.pem'), beside: join(data, 'signing-key.pub') }
}

test('the first start makes a key that only its owner may read, with its public half beside it, and every further start takes the same', async () => {
  const { data, path, beside } = await setUp()
  const first = await openSigningKey(data)
  expect((await stat(path)).mode & 0o777).toBe(0o600)
  expect(await run('openssl', ['pkey', '-in', path, '-noout', '-text'])).toMatch(/^ED25519 Private-Key/)
  expect(await run('openssl', ['pkey', '-in', path, '-pubout'])).toContain((await readFile(beside, 'utf8')).trimEnd())
  const again = await openSigningKey(data)
  expect(again.publicKey.fingerprint).toBe(first.publicKey.fingerprint)
  expect(first.publicKey.verifies(again.sign(Buffer.from('x')), Buffer.from('x'))).toBe(true)
})

test('of many servers that begin on one directory at once all have the same key', async () => {
  const { data } = await setUp()
  const keys = await Promise.all(Array.from({ length: 8 }, () => openSigningKey(data)))
  expect(new Set(keys.map(({ publicKey }) => publicKey.fingerprint)).size).toBe(1)
})

test('a public half that is missing, as after a crash, is written again', async () => {
  const { data, beside } = await setUp()
  const { publicKey } = await openSigningKey(data)
  await unlink(beside)
  await openSigningKey(data)
  expect(await readFile(beside, 'utf8')).toBe(publicKey.pem)
})

const pem = (type: 'rsa' | 'ed25519') => (type === 'rsa' ? generateKeyPairSync('rsa', { modulusLength: 2048 }) : generateKeyPairSync('ed25519')).privateKey.export({ type: 'pkcs8', format: 'pem' }) as string
test.each([
  ['no key at all', async (path: string) => writeFile(path, 'nonsense'), /signing-key\.pem: expected an Ed25519 private key in PEM \(PKCS#8\), got something that cannot be read/],
  ['one of another kind', async (path: string) => writeFile(path, pem('rsa')), /signing-key\.pem: expected an Ed25519 key, got one of the type rsa/],
  ['another than its public half', async (path: string) => writeFile(path, pem('ed25519')), /signing-key\.pub: expected the public key of .*, got that of another/],
  ['one that others may read', async (path: string) => chmod(path, 0o644), /signing-key\.pem: expected a file that only its owner may read, got permissions 0644; if nobody else has read it: chmod 600/],
])('a signing key that is %s is one clear error', async (_, spoil, message) => {
  const { data, path } = await setUp()
  await openSigningKey(data)
  await spoil(path)
  await expect(openSigningKey(data)).rejects.toMatchObject({ code: 'data-invalid', message: expect.stringMatching(message) })
})
