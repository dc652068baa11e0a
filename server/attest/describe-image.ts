import type { ImageDetails, ImageSummary } from '../api/image-details.ts'
import type { Image } from '../image-store/open-image-store.ts'
import type { Registry } from '../image-store/registry.ts'
import { readProof } from '../prove/attach-proof.ts'
import { checkSignature } from './check-signature.ts'
import { readAttachments } from './read-attachments.ts'
import type { PublicKey } from './signing-key.ts'

/** What of an image never changes, without what is long. */
export type ImageFacts = Omit<ImageSummary, 'proof' | 'signature'>

export function factsOfImage({ name, version, digest, publishedAt, manifest, config }: Image): ImageFacts {
  const { builtAt, diskSizeBytes, firmware, recipe, job, machine, packages } = config
  return {
    ...{ name, version, digest, publishedAt, builtAt, firmware, recipe, job, machine },
    diskBytes: diskSizeBytes,
    storedBytes: manifest.layers.reduce((sum, { size }) => sum + size, manifest.config.size),
    packageCount: packages.length,
  }
}

/** The same with what is attached to it: proof and signature, which may come later. Reads no chunk. */
export async function summariseImage(facts: ImageFacts, registry: Registry, key: PublicKey): Promise<ImageSummary> {
  const [proof, attachments] = await Promise.all([readProof(registry, facts), readAttachments(registry, facts.name, facts.digest)])
  const { tells, problems } = await checkSignature(attachments, facts.digest, key)
  return { ...facts, proof: proof ?? null, signature: { tells, problems } }
}

export async function describeImage(image: Image, registry: Registry, key: PublicKey): Promise<ImageDetails> {
  const { architecture, sectorBytes, workerVersion, partitions, packages } = image.config
  return { ...(await summariseImage(factsOfImage(image), registry, key)), architecture, sectorBytes, workerVersion, partitions, packages }
}
