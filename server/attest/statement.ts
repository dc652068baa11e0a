import { Type, type Static, type TSchema } from 'typebox'
import { hexOf } from '../image-store/digest.ts'
import { parseAs, requireAs } from '../image-store/parse-as.ts'

const type = 'https://in-toto.io/Statement/v1'

/** A statement about an image (in-toto attestation, spec v1, statement.md). */
const statementSchema = Type.Object({
  _type: Type.Literal(type),
  subject: Type.Array(Type.Object({ digest: Type.Record(Type.String(), Type.String()) }), { minItems: 1 }),
  predicateType: Type.String(),
  predicate: Type.Unknown(),
})
export type Statement = Static<typeof statementSchema>

export interface StatementParts {
  /** The image as those call it who pull it. */
  repository: string
  digest: string
  predicateType: string
  predicate: object
}

export const renderStatement = ({ repository, digest, predicateType, predicate }: StatementParts): Buffer =>
  Buffer.from(JSON.stringify({ _type: type, subject: [{ name: repository, digest: { sha256: hexOf(digest) } }], predicateType, predicate }))

/** Throws `IngotError` 'image-invalid' when it is none. */
export const parseStatement = (bytes: Uint8Array): Statement => parseAs(statementSchema, bytes, 'statement')

/** Whether a statement speaks of this digest. */
export const isAbout = ({ subject }: Statement, digest: string): boolean => subject.some((each) => each.digest.sha256 === hexOf(digest))

/** A predicate in the form that it should have; throws `IngotError` 'image-invalid' naming every wrong field. */
export const predicateOf = <Schema extends TSchema>({ predicate }: Statement, schema: Schema): Static<Schema> => requireAs(schema, predicate, 'predicate')
