import type { ImageManifest } from '../api/image.ts'
import { IngotError } from '../errors.ts'
import { parseImageManifest } from '../image-store/parse-image.ts'
import { isDisk } from '../image-store/parse-manifest.ts'
import type { Registry, StoredManifest } from '../image-store/registry.ts'
import { checkImage, type CheckImageOptions } from './check-image.ts'
import { checkProof } from './check-proof.ts'
import { checkProvenance, vouchesFor } from './check-provenance.ts'
import { checkSbom } from './check-sbom.ts'
import { checkSignature } from './check-signature.ts'
import { bad, problemOf, type Finding } from './finding.ts'
import { readAttachments } from './read-attachments.ts'
import { readStatements } from './read-statements.ts'
import type { PublicKey } from './signing-key.ts'

/** What was found of an image, part by part. */
export interface Verdict {
  image: string
  version: string
  /** Of the manifest, when it can be read. */
  digest?: string
  /** Fingerprint of the key that it was measured by. */
  key: string
  findings: Finding[]
  /** No part has a problem. */
  good: boolean
}

export interface VerifyOptions extends CheckImageOptions {
  registry: Registry
  key: PublicKey
}

/**
 * Checks an image by the key of the one who is said to have built it: all blobs by their digests, the signature, the signed provenance and bill of
 * materials, and the record of its proof. Throws `IngotError` 'image-unknown' when there is no such image, and what keeps the registry from being asked.
 */
export async function verifyImage(name: string, reference: string, { registry, key, ...options }: VerifyOptions): Promise<Verdict> {
  const verdict = (version: string, findings: Finding[], digest?: string): Verdict => ({
    image: name,
    version,
    ...(digest === undefined ? {} : { digest }),
    key: key.fingerprint,
    findings,
    good: findings.every(({ problems }) => problems.length === 0),
  })
  let stored: StoredManifest | undefined
  try {
    stored = await registry.read(name, reference)
  } catch (error) {
    if (!(error instanceof IngotError) || error.code !== 'image-corrupt') throw error
    return verdict(reference, [bad('content', error.message)])
  }
  if (stored === undefined || !isDisk(stored)) throw new IngotError('image-unknown', `no image ${name}:${reference} has been published`)
  const { digest, bytes, tag = reference } = stored
  let manifest: ImageManifest
  try {
    manifest = parseImageManifest(bytes)
  } catch (error) {
    return verdict(tag, [bad('content', problemOf(error))], digest)
  }
  const { finding, config } = await checkImage(registry.blobs(name), manifest, options)
  const attachments = await readAttachments(registry, name, digest)
  const statements = await readStatements(attachments, digest, key)
  const { finding: built, provenance } = checkProvenance(statements, name, config)
  const findings = [
    finding,
    await checkSignature(attachments, digest, key),
    built,
    await checkSbom(attachments, statements),
    await checkProof(attachments, digest, (record) => vouchesFor(provenance, 'proof', record)),
  ]
  return verdict(tag, findings, digest)
}
