/** Media types of an Ingot image as an OCI artifact (OCI image-spec 1.1, manifest.md, "Guidelines for Artifact Usage"). */
export const mediaTypes = {
  manifest: 'application/vnd.oci.image.manifest.v1+json',
  artifact: 'application/vnd.ingot.disk.v1',
  /** A disk as the first steps of a job left it: like an image, and never a version of one. */
  snapshot: 'application/vnd.ingot.disk.snapshot.v1',
  config: 'application/vnd.ingot.disk.config.v1+json',
  /** A piece of the disk, one zstd frame; its place stands in the annotation `offsetAnnotation`. */
  chunk: 'application/vnd.ingot.disk.chunk.v1+zstd',
  /** What a copy of the image showed when it was booted (server/api/proof.ts). */
  proof: 'application/vnd.dev.ingot.proof.v1+json',
} as const
