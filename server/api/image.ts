import { mediaTypes } from './media-types.ts'
import { Type, type Static } from 'typebox'
import { digestSchema } from '../../images/component.ts'

const closed = { additionalProperties: false }

/** Annotations of a chunk's descriptor: first byte on the disk and length in bytes before compression, both decimal. */
export const offsetAnnotation = 'dev.ingot.disk.offset'
export const lengthAnnotation = 'dev.ingot.disk.length'

/**
 * Size of a chunk, and what its place on the disk is a multiple of. Measured on one root filesystem of Debian 12, unpacked twice, each time onto a fresh ext4
 * of the same identifiers (zstd level 3, `minMatch` 4):
 *
 *     chunk    requests   compressed   sent of the second build
 *     64 KiB     12,555       267 MB                     173 MB
 *     256 KiB     3,157       254 MB                     172 MB
 *     1 MiB         802       242 MB                     174 MB
 *     2 MiB         409       236 MB                     175 MB
 *     4 MiB         211       233 MB                     210 MB
 *
 * A manifest has 0.2 kB for each. Smaller ones cost more requests and bytes and save nothing, larger ones share less.
 */
export const chunkSizeBytes = 2 * 1024 * 1024

/** The config blob: what the image is, where it was made and of what. */
export const imageConfigSchema = Type.Object(
  {
    version: Type.Literal(1),
    /** Size of the disk that the image describes, 64 TiB at most; what no chunk covers is zero. */
    diskSizeBytes: Type.Integer({ minimum: 1048576, maximum: 2 ** 46 }),
    sectorBytes: Type.Integer({ minimum: 512 }),
    chunkSizeBytes: Type.Integer({ minimum: 4096 }),
    architecture: Type.Literal('amd64'),
    firmware: Type.Array(Type.Enum(['bios', 'uefi']), { minItems: 1 }),
    recipe: Type.Object({ name: Type.String(), digest: Type.String() }, closed),
    job: Type.String(),
    /** Id of the machine that built it. */
    machine: Type.String(),
    partitions: Type.Array(
      Type.Object(
        {
          name: Type.String(),
          typeGuid: Type.String(),
          startBytes: Type.Integer(),
          sizeBytes: Type.Integer(),
          filesystem: Type.Optional(Type.String()),
          mountPoint: Type.Optional(Type.String()),
        },
        closed,
      ),
    ),
    packages: Type.Array(Type.Object({ name: Type.String(), version: Type.String() }, closed)),
    builtAt: Type.String({ format: 'date-time' }),
    workerVersion: Type.String(),
    /** Versions of what made it, for example `{ linux: '6.1.0-41-amd64', node: '26.10.0', zstd: '1.5.7' }`; images of before have none. */
    programs: Type.Optional(Type.Record(Type.String(), Type.String())),
  },
  closed,
)
export type ImageConfig = Static<typeof imageConfigSchema>

const descriptorFields = { digest: digestSchema, size: Type.Integer({ minimum: 0 }) }
const decimal = Type.String({ pattern: '^(0|[1-9][0-9]{0,14})$' })

/** Descriptor of a chunk (OCI image-spec 1.1, descriptor.md), for example of the second MiB of a disk. */
export const chunkDescriptorSchema = Type.Object(
  {
    mediaType: Type.Literal(mediaTypes.chunk),
    ...descriptorFields,
    annotations: Type.Object({ [offsetAnnotation]: decimal, [lengthAnnotation]: decimal }, closed),
  },
  closed,
)
export type ChunkDescriptor = Static<typeof chunkDescriptorSchema>

/** Manifest of an image (OCI image-spec 1.1, manifest.md): the config, and the chunks in the order of the disk. */
export const imageManifestSchema = Type.Object(
  {
    schemaVersion: Type.Literal(2),
    mediaType: Type.Literal(mediaTypes.manifest),
    artifactType: Type.Literal(mediaTypes.artifact),
    config: Type.Object({ mediaType: Type.Literal(mediaTypes.config), ...descriptorFields }, closed),
    layers: Type.Array(chunkDescriptorSchema, { minItems: 1 }),
    annotations: Type.Optional(Type.Record(Type.String(), Type.String())),
  },
  closed,
)
export type ImageManifest = Static<typeof imageManifestSchema>

/** What the server tells of a published manifest. */
export interface Descriptor {
  mediaType: string
  digest: string
  size: number
}

/** An image's name as OCI writes it, without folders, and the name of one version of it: the id of the job that made it. */
export const imageNamePattern = '^[a-z0-9]+([._-][a-z0-9]+)*$'
export const imageVersionPattern = '^[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}$'
