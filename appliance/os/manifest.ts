import { Type, type Static } from 'typebox'
import { digestSchema } from '../../images/component.ts'

const closed = { additionalProperties: false }

const outputSchema = Type.Object(
  {
    /** Name of the file beside the manifest. */
    file: Type.String(),
    sizeBytes: Type.Integer({ minimum: 1 }),
    /** Sum of the sizes of what is inside, unpacked. */
    rawSizeBytes: Type.Integer({ minimum: 1 }),
    digest: digestSchema,
    /** Hex, as sha512sum(1) prints it: of 64-bit processors without instructions for either it asks a third less time than sha256. */
    sha512: Type.String({ pattern: '^[0-9a-f]{128}$' }),
    /** What is inside, sorted by path. */
    contents: Type.Array(Type.Object({ path: Type.String(), sizeBytes: Type.Integer({ minimum: 0 }) }, closed)),
  },
  closed,
)
export type Output = Static<typeof outputSchema>

/** What an appliance was made of and what came out: `manifest.json`. Equal inputs give an equal manifest, so it holds no dates. */
export const manifestSchema = Type.Object(
  {
    version: Type.Literal(1),
    /** Digest over all inputs; another key means another appliance. */
    key: digestSchema,
    ingotVersion: Type.String(),
    nodeVersion: Type.String(),
    /** For example `6.1.0-56-amd64`. */
    kernelRelease: Type.String(),
    /** The version of each host program that shaped the bytes. */
    builtWith: Type.Record(Type.String(), Type.String()),
    packages: Type.Array(
      Type.Object(
        { name: Type.String(), version: Type.String(), architecture: Type.String(), sha256: Type.String({ pattern: '^[0-9a-f]{64}$' }) },
        closed,
      ),
    ),
    outputs: Type.Object({ kernel: outputSchema, initramfs: outputSchema, stage2: outputSchema, inventory: outputSchema, tools: outputSchema }, closed),
  },
  closed,
)
export type Manifest = Static<typeof manifestSchema>
export type OutputName = keyof Manifest['outputs']
