import { Type, type Static } from 'typebox'

const closed = { additionalProperties: false }
const firmware = Type.Enum(['bios', 'uefi'])

/** One boot of a copy of an image, for example `{ firmware: 'uefi', secureBoot: true }`. */
export interface ProofBoot {
  firmware: 'bios' | 'uefi'
  secureBoot: boolean
}

/** What a proof tells while it runs; times in milliseconds. */
export type ProofEvent =
  /** What it waits for now, for people, for example `login prompt`. */
  | { kind: 'waiting'; for: string }
  | { kind: 'power-on' }
  | { kind: 'login'; ms: number }
  | { kind: 'checked'; check: string; ms: number }
  /** Times since power-on. */
  | { kind: 'proven'; loginMs: number; checkedMs: number }

const bootResultSchema = Type.Object(
  {
    firmware,
    secureBoot: Type.Boolean(),
    /** From power-on to the login prompt, and to the last check passed. */
    loginSeconds: Type.Number({ minimum: 0 }),
    seconds: Type.Number({ minimum: 0 }),
    /** For people, for example `run systemctl is-active nginx`; each of them passed. */
    checks: Type.Array(Type.Object({ check: Type.String(), seconds: Type.Number({ minimum: 0 }) }, closed)),
    /** Digest of what the copy said on its serial console: a layer of the record. */
    console: Type.String(),
  },
  closed,
)
export type BootResult = Static<typeof bootResultSchema>

/**
 * How an image was proven: a layer of an artifact that refers to the image's manifest (OCI distribution-spec 1.1, "Listing Referrers"), of the type
 * `mediaTypes.proof`. The consoles are its other layers. An image that was published as it came says so by `none`.
 */
export const proofRecordSchema = Type.Union([
  Type.Object({ version: Type.Literal(1), image: Type.String(), digest: Type.String(), proof: Type.Literal('none') }, closed),
  Type.Object(
    {
      version: Type.Literal(1),
      /** Name of the image and digest of its manifest. */
      image: Type.String(),
      digest: Type.String(),
      proof: Type.Literal('booted'),
      boots: Type.Array(bootResultSchema, { minItems: 1 }),
      /** Versions of what it ran on, for example `{ qemu: '7.2.22', ovmf: '2022.11-6+deb12u2' }`; of what cannot be told nothing stands here. */
      programs: Type.Record(Type.String(), Type.String()),
      accelerator: Type.String(),
      provenAt: Type.String({ format: 'date-time' }),
    },
    closed,
  ),
])
export type ProofRecord = Static<typeof proofRecordSchema>
