import { createPrivateKey, createPublicKey, generateKeyPairSync, hash, sign, verify, type KeyObject } from 'node:crypto'
import { readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { createFile } from '../durable-file.ts'
import { IngotError } from '../errors.ts'
import { readPrivateFile } from '../private-file.ts'

/** The public half of a key, by which anyone checks what was signed. */
export interface PublicKey {
  /** PKIX PEM, as cosign and openssl take it. */
  pem: string
  /** Digest of the DER form, for example `sha256:3b0c…`: `openssl pkey -pubin -in FILE -outform DER | sha256sum`. */
  fingerprint: string
  verifies(signature: Uint8Array, bytes: Uint8Array): boolean
}

/** An Ed25519 key (RFC 8032, without pre-hashing) that signs images. */
export interface SigningKey {
  publicKey: PublicKey
  sign(bytes: Uint8Array): Buffer
}

const privatePath = (dataDirectory: string): string => join(dataDirectory, 'signing-key.pem')
const publicKeyPath = (dataDirectory: string): string => join(dataDirectory, 'signing-key.pub')

/**
 * The key of a data directory, made at the first start: `signing-key.pem` (PKCS#8, RFC 8410; for nobody but its owner) and `signing-key.pub`. Of any
 * number of servers that share the directory one makes it. Throws `IngotError` 'data-invalid' when it is no such key, open to others, or the two files
 * do not belong together.
 */
export async function openSigningKey(dataDirectory: string): Promise<SigningKey> {
  const path = privatePath(dataDirectory)
  const fresh = () => generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' })
  if ((await stat(path).catch(whenMissing)) === undefined) await createFile(path, fresh(), { mode: 0o600 })
  const key = await readPrivateKey(path)
  const publicKey = wrap(createPublicKey(key))
  const beside = publicKeyPath(dataDirectory)
  await createFile(beside, publicKey.pem)
  const found = await readPublicKey(beside)
  if (found.fingerprint !== publicKey.fingerprint) {
    const remedy = 'if it was changed by mistake, remove it and start again'
    throw invalid(beside, `the public key of ${path} (${publicKey.fingerprint})`, `that of another (${found.fingerprint}); ${remedy}`)
  }
  return { publicKey, sign: (bytes) => sign(null, bytes, key) }
}

async function readPrivateKey(path: string): Promise<KeyObject> {
  const text = await readPrivateFile(path)
  let key: KeyObject
  try {
    key = createPrivateKey({ key: text, format: 'pem' })
  } catch (error) {
    throw invalid(path, 'an Ed25519 private key in PEM (PKCS#8)', `something that cannot be read: ${(error as Error).message}`)
  }
  return requireEd25519(key, path)
}

/** The public key of a data directory; throws `IngotError` 'data-invalid' when there is none yet, or none that can be read. */
export async function readOwnPublicKey(dataDirectory: string): Promise<PublicKey> {
  const path = publicKeyPath(dataDirectory)
  if ((await stat(path).catch(whenMissing)) === undefined) throw invalid(path, 'a public key, which `ingot serve` makes when it starts', 'no file')
  return readPublicKey(path)
}

/** Reads a public key from a file; throws `IngotError` 'data-invalid'. */
export const readPublicKey = async (path: string): Promise<PublicKey> => parsePublicKey(await readText(path), path)

/** Reads a public key in PEM; `source` is named when it is none: throws `IngotError` 'data-invalid'. */
export function parsePublicKey(pem: string, source: string): PublicKey {
  if (/PRIVATE KEY/.test(pem)) throw invalid(source, 'an Ed25519 public key in PEM', 'a private key, which nobody but the server should have')
  let key: KeyObject
  try {
    key = createPublicKey({ key: pem, format: 'pem' })
  } catch (error) {
    throw invalid(source, 'an Ed25519 public key in PEM', `something that cannot be read: ${(error as Error).message}`)
  }
  return wrap(requireEd25519(key, source))
}

function wrap(key: KeyObject): PublicKey {
  return {
    pem: key.export({ type: 'spki', format: 'pem' }).toString(),
    fingerprint: `sha256:${hash('sha256', key.export({ type: 'spki', format: 'der' }))}`,
    verifies: (signature, bytes) => verify(null, bytes, key, signature),
  }
}

function requireEd25519(key: KeyObject, source: string): KeyObject {
  if (key.asymmetricKeyType !== 'ed25519') throw invalid(source, 'an Ed25519 key', `one of the type ${key.asymmetricKeyType}`)
  return key
}

async function readText(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    throw new IngotError('data-invalid', `the key ${path} cannot be read: ${(error as Error).message}`, { cause: error })
  }
}

function whenMissing(error: NodeJS.ErrnoException): undefined {
  if (error.code !== 'ENOENT') throw error
}

const invalid = (path: string, expected: string, got: string): IngotError => new IngotError('data-invalid', `${path}: expected ${expected}, got ${got}`)
