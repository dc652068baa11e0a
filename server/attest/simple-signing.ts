import { Type } from 'typebox'
import { digestSchema } from '../../images/component.ts'
import { parseAs } from '../image-store/parse-as.ts'

const kind = 'cosign container image signature'

/** What a signature of an image signs (cosign SIGNATURE_SPEC.md, "Simple Signing"; containers-signature(5)); more fields are no fault. */
const simpleSigningSchema = Type.Object({
  critical: Type.Object({
    identity: Type.Object({ 'docker-reference': Type.String() }),
    image: Type.Object({ 'docker-manifest-digest': digestSchema }),
    type: Type.Literal(kind),
  }),
})

/** The payload for a manifest in a repository, for example `{"critical":{"identity":{"docker-reference":"10.77.0.1:8080/debian-12"},…},"optional":null}`. */
export const renderSimpleSigning = ({ repository, digest }: { repository: string; digest: string }): Buffer =>
  Buffer.from(JSON.stringify({ critical: { identity: { 'docker-reference': repository }, image: { 'docker-manifest-digest': digest }, type: kind }, optional: null }))

/** The digest that a payload speaks of; throws `IngotError` 'image-invalid' when it is none. */
export const parseSimpleSigning = (bytes: Uint8Array): string => parseAs(simpleSigningSchema, bytes, 'payload').critical.image['docker-manifest-digest']
