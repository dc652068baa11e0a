import { Type, type Static } from 'typebox'

/** A sha256 digest as OCI writes it, for example `sha256:9f86d0…` (64 hex digits). Source: OCI image-spec, descriptor.md. */
export const digestSchema = Type.String({ pattern: '^sha256:[0-9a-f]{64}$' })

/**
 * A component: bytes that a job needs and downloads from the first computer that listed it (B20), found by their digest.
 * For example `{ name: 'debian-12-base', digest: 'sha256:…', sizeBytes: 197132288 }`.
 */
export const componentRefSchema = Type.Object(
  {
    /** What a person calls it in logs: the rootfs name or the path of the file inside its recipe. */
    name: Type.String({ minLength: 1, maxLength: 200 }),
    digest: digestSchema,
    sizeBytes: Type.Integer({ minimum: 0 }),
  },
  { additionalProperties: false },
)
export type ComponentRef = Static<typeof componentRefSchema>
