import { subjectOf } from '../attest/attestation-types.ts'
import { putAttachment } from '../attest/put-attachment.ts'
import { mediaTypes } from '../api/media-types.ts'
import { proofRecordSchema, type ProofRecord } from '../api/proof.ts'
import { parseAs } from '../image-store/parse-as.ts'
import type { Image, ImageVersion } from '../image-store/open-image-store.ts'
import { parseManifest } from '../image-store/parse-manifest.ts'
import { readBlob } from '../image-store/read-blob.ts'
import type { Registry } from '../image-store/registry.ts'
import { nameOfBoot } from './proof-paths.ts'
import type { Proven } from './prove.ts'

const consoleName = 'org.opencontainers.image.title'

/** Attaches to an image how it was proven, with the consoles; without a proof, that it was not. Returns the digest of the record's manifest. */
export async function attachProof(registry: Registry, image: Image, proven: Proven | undefined): Promise<string> {
  const { name, digest } = image
  const record: ProofRecord = proven?.record ?? { version: 1, image: name, digest, proof: 'none' }
  const consoles = (proven?.consoles ?? []).map(({ boot, text }) => ({ mediaType: 'text/plain', bytes: text, annotations: { [consoleName]: `${nameOfBoot(boot)}.console` } }))
  const { digest: recordDigest } = await putAttachment(registry, name, {
    subject: subjectOf(image),
    artifactType: mediaTypes.proof,
    blobs: [{ mediaType: mediaTypes.proof, bytes: Buffer.from(JSON.stringify(record)) }, ...consoles],
  })
  return recordDigest
}

/**
 * How a version was proven; nothing for one that nobody told of, such as one that was pushed by hand. Of several records that which says most counts, the
 * last of them. Throws `IngotError` 'image-invalid' for a record that is none, and as `readBlob`.
 */
export async function readProof(registry: Registry, { name, digest }: Pick<ImageVersion, 'name' | 'digest'>): Promise<ProofRecord | undefined> {
  const records: ProofRecord[] = []
  for (const referrer of await registry.referrers(name, digest)) {
    if (referrer.artifactType !== mediaTypes.proof) continue
    // The first after the config.
    const [, layer] = parseManifest(referrer.bytes).blobs
    if (layer === undefined) continue
    const record = parseAs(proofRecordSchema, await readBlob(registry.blobs(name), layer.digest, layer.sizeBytes), 'proof record')
    if (record.digest === digest) records.push(record)
  }
  const booted = records.flatMap((record) => (record.proof === 'booted' ? [record] : [])).toSorted((one, other) => one.provenAt.localeCompare(other.provenAt))
  return booted.at(-1) ?? records.at(-1)
}
