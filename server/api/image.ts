import { Type, type Static } from 'typebox'

const closed = { additionalProperties: false }

/** Media types of an Ingot image as an OCI artifact (OCI image-spec 1.1, manifest.md, "Guidelines for Artifact Usage"). */
export const mediaTypes = {
  manifest: 'application/vnd.oci.image.manifest.v1+json',
  artifact: 'application/vnd.ingot.disk.v1',
  config: 'application/vnd.ingot.disk.config.v1+json',
  /** A piece of the disk, one zstd frame; its place stands in the annotation `offsetAnnotation`. */
  chunk: 'application/vnd.ingot.disk.chunk.v1+zstd',
} as const

/** Annotations of a chunk's descriptor: first byte on the disk and length in bytes before compression, both decimal. */
export const offsetAnnotation = 'dev.ingot.disk.offset'
export const lengthAnnotation = 'dev.ingot.disk.length'

/** 1 MiB, aligned to the disk: 800 requests and a manifest of about 200 kB for 800 MiB; smaller chunks share a little more between builds at many times the requests. */
export const chunkSizeBytes = 1024 * 1024

/** The config blob: what the image is, where it was made and of what. */
export const imageConfigSchema = Type.Object(
  {
    version: Type.Literal(1),
    /** Size of the disk that the image describes; what no chunk covers is zero. */
    diskSizeBytes: Type.Integer({ minimum: 1048576 }),
    sectorBytes: Type.Integer({ minimum: 512 }),
    chunkSizeBytes: Type.Integer({ minimum: 4096 }),
    architecture: Type.Literal('amd64'),
    firmware: Type.Array(Type.Union([Type.Literal('bios'), Type.Literal('uefi')]), { minItems: 1 }),
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
  },
  closed,
)
export type ImageConfig = Static<typeof imageConfigSchema>

/** Descriptor and manifest of OCI image-spec 1.1, only the fields that an Ingot image has. */
export interface Descriptor {
  mediaType: string
  digest: string
  size: number
  annotations?: Record<string, string>
}
export interface ImageManifest {
  schemaVersion: 2
  mediaType: typeof mediaTypes.manifest
  artifactType: typeof mediaTypes.artifact
  config: Descriptor
  layers: Descriptor[]
  annotations?: Record<string, string>
}
