import { mediaTypes } from '../api/media-types.ts'

/** Media types, artifact types and annotations of what is attached to an image, as other tools know them. */
export const attestationTypes = {
  /** OCI image-spec 1.1, manifest.md, "Guidance for an Empty Descriptor". */
  empty: 'application/vnd.oci.empty.v1+json',
  imageConfig: 'application/vnd.oci.image.config.v1+json',
  /** cosign SIGNATURE_SPEC.md; the artifact types are those that cosign finds among referrers. */
  signaturePayload: 'application/vnd.dev.cosign.simplesigning.v1+json',
  signatureArtifact: 'application/vnd.dev.cosign.artifact.sig.v1+json',
  attestationArtifact: 'application/vnd.dev.cosign.artifact.att.v1+json',
  signatureAnnotation: 'dev.cosignproject.cosign/signature',
  /** DSSE envelope.md, and the payload in it (in-toto attestation, envelope.md). */
  envelope: 'application/vnd.dsse.envelope.v1+json',
  statement: 'application/vnd.in-toto+json',
  /** IANA, for SPDX in JSON; also the artifact type. */
  spdx: 'application/spdx+json',
} as const

/** What in-toto statements say (in-toto attestation spec v1, predicates). */
export const predicateTypes = {
  provenance: 'https://slsa.dev/provenance/v1',
  spdx: 'https://spdx.dev/Document',
} as const

/** Descriptor of a blob (OCI image-spec 1.1, descriptor.md). */
export interface BlobDescriptor {
  mediaType: string
  digest: string
  size: number
  annotations?: Record<string, string>
}

/** The manifest that an attachment is about. */
export const subjectOf = (image: { digest: string; manifestBytes: number }): BlobDescriptor => ({
  mediaType: mediaTypes.manifest,
  digest: image.digest,
  size: image.manifestBytes,
})
