import { Type, type Static } from 'typebox'
import { digestSchema } from '../../images/component.ts'
import { renderFault } from '../../images/fault.ts'
import { findFaults } from '../../images/parse-document.ts'
import { mediaTypes } from '../api/media-types.ts'
import { IngotError } from '../errors.ts'

/** Manifests of one image and lists of them, of OCI and of Docker, which are alike in what concerns a registry. */
const singleTypes: readonly string[] = [mediaTypes.manifest, 'application/vnd.docker.distribution.manifest.v2+json']
const listTypes: readonly string[] = ['application/vnd.oci.image.index.v1+json', 'application/vnd.docker.distribution.manifest.list.v2+json']

/** Layers that registries need not keep (OCI image-spec 1.0, layer.md, "Non-Distributable Layers", and Docker's foreign layers). */
const elsewhere = /^application\/vnd\.(oci\.image\.layer\.nondistributable\.|docker\.image\.rootfs\.foreign\.)/

const descriptor = Type.Object({ mediaType: Type.String(), digest: digestSchema, size: Type.Integer({ minimum: 0 }) })
const common = {
  schemaVersion: Type.Literal(2),
  mediaType: Type.Optional(Type.String()),
  artifactType: Type.Optional(Type.String()),
  subject: Type.Optional(descriptor),
  annotations: Type.Optional(Type.Record(Type.String(), Type.String())),
}
const singleSchema = Type.Object({ ...common, config: descriptor, layers: Type.Array(descriptor) })
const listSchema = Type.Object({ ...common, manifests: Type.Array(descriptor) })

interface Reference {
  digest: string
  sizeBytes: number
}

/** What a registry has to know of a manifest. */
export interface ManifestFacts {
  mediaType: string
  /** Of an image without one it is the media type of its config (OCI distribution-spec, "Listing Referrers"). */
  artifactType?: string
  subject?: string
  annotations: Readonly<Record<string, string>>
  blobs: Reference[]
  /** The manifests of an index. */
  parts: Reference[]
}

/** Whether a manifest is one of our images of disks. */
export const isDisk = ({ mediaType, artifactType }: { mediaType: string; artifactType?: string }): boolean =>
  mediaType === mediaTypes.manifest && artifactType === mediaTypes.artifact

/** Whether a manifest is a disk as the first steps of a job left it, kept for later jobs. */
export const isSnapshot = ({ mediaType, artifactType }: { mediaType: string; artifactType?: string }): boolean =>
  mediaType === mediaTypes.manifest && artifactType === mediaTypes.snapshot

/** Whether a manifest is a list of others, each for a platform of its own. */
export const isIndex = ({ mediaType }: { mediaType: string }): boolean => listTypes.includes(mediaType)

/**
 * Reads any manifest of OCI image-spec 1.1 or Docker's schema 2, whose bytes stay as they are. `declared` is what its sender calls it, if it does.
 * Throws `IngotError` 'image-invalid' naming every wrong field.
 */
export function parseManifest(bytes: Uint8Array, declared?: string): ManifestFacts {
  const refuse = (problems: string[]) => new IngotError('image-invalid', `manifest: ${problems[0]}`, { problems })
  let value: unknown
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
  } catch (error) {
    throw refuse([`expected JSON in UTF-8: ${(error as Error).message}`])
  }
  const own = (value as { mediaType?: unknown } | null)?.mediaType
  const mediaType = String(own ?? declared ?? 'none')
  if (declared !== undefined && mediaType !== declared) throw refuse([`mediaType: expected ${declared}, as the request declares, got ${mediaType}`])
  const isList = isIndex({ mediaType })
  if (!isList && !singleTypes.includes(mediaType)) throw refuse([`mediaType: expected ${[...singleTypes, ...listTypes].join(' or ')}, got ${mediaType}`])
  const faults = findFaults(isList ? listSchema : singleSchema, value)
  if (faults.length > 0) throw refuse(faults.map(renderFault))

  const { subject, annotations = {}, artifactType, ...parts } = value as Static<typeof singleSchema> & Static<typeof listSchema>
  const kind = artifactType ?? (isList ? undefined : parts.config.mediaType)
  const references = (descriptors: readonly Static<typeof descriptor>[]) => descriptors.map(({ digest, size }) => ({ digest, sizeBytes: size }))
  return {
    mediaType,
    ...(kind === undefined ? {} : { artifactType: kind }),
    ...(subject === undefined ? {} : { subject: subject.digest }),
    annotations,
    blobs: isList ? [] : references([parts.config, ...parts.layers.filter((layer) => !elsewhere.test(layer.mediaType))]),
    parts: isList ? references(parts.manifests) : [],
  }
}
