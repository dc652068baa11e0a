import { Type, type Static } from 'typebox'
import { roles } from './role.ts'

/** What stands in records and lists of people: one line, not too long. */
export const tokenNamePattern = '^[^\\p{Cc}\\p{Cf}]{1,100}$'

/** Body of `POST /tokens`. */
export const newTokenSchema = Type.Object(
  {
    role: Type.Enum([...roles]),
    name: Type.String({ pattern: tokenNamePattern, description: '1 to 100 printable characters: whose it is, for the records' }),
  },
  { additionalProperties: false },
)
export type NewToken = Static<typeof newTokenSchema>

/** A token as it is listed, for example `{ id: '9f86d081884c', role: 'operator', name: 'ci', createdAt: '2026-11-23T21:20:01.123Z' }`. */
export const listedTokenSchema = Type.Object({
  id: Type.String({ pattern: '^[0-9a-f]{12}$', description: 'begins its sha256, and tells nothing of the token itself' }),
  role: Type.Enum([...roles]),
  name: Type.String(),
  isMachine: Type.Optional(Type.Literal(true, { description: 'given to the machine of that name' })),
  createdAt: Type.String({ format: 'date-time' }),
  expiresAt: Type.Optional(Type.String({ format: 'date-time' })),
})
export type ListedToken = Static<typeof listedTokenSchema>

/** Answer to `POST /tokens`: the one time that a token is shown. */
export const createdTokenSchema = Type.Object({ ...listedTokenSchema.properties, credential: Type.String() })
export type CreatedToken = Static<typeof createdTokenSchema>

/** Answer to `GET /tokens.json`. */
export interface TokenListAnswer {
  version: 1
  tokens: ListedToken[]
}
