import { mediaTypes } from '../api/media-types.ts'
import { attachmentTag, type AttachmentKind } from '../image-store/attachment-tag.ts'
import type { Image } from '../image-store/open-image-store.ts'
import type { Registry } from '../image-store/registry.ts'
import { attestationTypes, predicateTypes, subjectOf } from './attestation-types.ts'
import type { BuildFacts } from './build-facts.ts'
import { signEnvelope } from './dsse.ts'
import { putAttachment, type AttachedBlob } from './put-attachment.ts'
import { renderProvenance, type Byproduct } from './render-provenance.ts'
import { renderSbom, type Tool } from './render-sbom.ts'
import type { SigningKey } from './signing-key.ts'
import { renderSimpleSigning } from './simple-signing.ts'
import { renderStatement } from './statement.ts'

export interface AttestorOptions {
  registry: Registry
  key: SigningKey
  tool: Tool
  /** An image as those call it who pull it, for example `10.77.0.1:8080/debian-12`; default its name alone. */
  repositoryOf?: (name: string) => string
}

/** What those call an image who pull it, for example `10.77.0.1:8080/debian-12`; `url` is that of the registry, with its path. */
export function repositoryAt(url: string, name: string): string {
  const { host, pathname } = new URL(url)
  return `${host}${pathname.replace(/\/$/, '')}/${name}`
}

/** Vouches for images that were built here. */
export interface Attestor {
  /**
   * Attaches to an image: its bill of materials (SPDX), a statement of how it was built (SLSA) and the bill once more, both in signed envelopes, and its
   * signature, last. The record of its proof is named in the provenance, and so signed too. The image need not have its tag yet; the same again changes
   * nothing. Throws what the registry throws.
   */
  attest(image: Image, facts: BuildFacts): Promise<void>
}

export function createAttestor({ registry, key, tool, repositoryOf = (name) => name }: AttestorOptions): Attestor {
  return {
    async attest(image, facts) {
      const { name, digest } = image
      const subject = subjectOf(image)
      const repository = repositoryOf(name)
      const attach = (artifactType: string, blobs: AttachedBlob[], kind?: AttachmentKind) =>
        putAttachment(registry, name, { subject, artifactType, blobs, ...(kind === undefined ? {} : { tag: attachmentTag(digest, kind) }) })
      const envelope = (predicateType: string, predicate: object): AttachedBlob => ({
        mediaType: attestationTypes.envelope,
        bytes: signEnvelope(attestationTypes.statement, renderStatement({ repository, digest, predicateType, predicate }), key),
        // The envelope has its signature inside; cosign wants the annotation nevertheless.
        annotations: { [attestationTypes.signatureAnnotation]: '', predicateType },
      })

      const sbom = renderSbom(image, tool)
      const { digest: sbomDigest } = await attach(attestationTypes.spdx, [{ mediaType: attestationTypes.spdx, bytes: Buffer.from(JSON.stringify(sbom)) }])
      const byproducts: Byproduct[] = [
        { name: 'sbom', digest: sbomDigest, mediaType: attestationTypes.spdx },
        ...(facts.proof === undefined ? [] : [{ name: 'proof', digest: facts.proof, mediaType: mediaTypes.proof }]),
      ]
      const provenance = renderProvenance(image, facts, { byproducts, tool })
      const statements = [envelope(predicateTypes.provenance, provenance), envelope(predicateTypes.spdx, sbom)]
      await attach(attestationTypes.attestationArtifact, statements, 'att')

      const payload = renderSimpleSigning({ repository, digest })
      const annotations = { [attestationTypes.signatureAnnotation]: key.sign(payload).toString('base64') }
      await attach(attestationTypes.signatureArtifact, [{ mediaType: attestationTypes.signaturePayload, bytes: payload, annotations }], 'sig')
    },
  }
}
