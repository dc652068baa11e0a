import { Type, type Static } from 'typebox'
import { roles } from './role.ts'

/** One thing that somebody did, or was refused, for example `{ time, name: 'ada', role: 'operator', method: 'DELETE', object: '/jobs/web-1', status: 204, address: '192.0.2.7' }`. */
export const auditEntrySchema = Type.Object({
  time: Type.String({ format: 'date-time' }),
  name: Type.Optional(Type.String({ description: 'of the token, or of the machine that a credential was given to; absent when nobody known asked' })),
  role: Type.Optional(Type.Enum([...roles])),
  session: Type.Optional(Type.Literal(true, { description: "by a browser's session" })),
  method: Type.String({ description: 'of HTTP; or the command, such as `token create`, when it was done on the data directory itself' }),
  object: Type.String({ description: 'the path that was asked, without its query, and of a token what it is; or what the command was about' }),
  status: Type.Optional(Type.Integer()),
  address: Type.Optional(Type.String()),
})
export type AuditEntry = Static<typeof auditEntrySchema>

/** Answer to `GET /audit.json`, oldest first. */
export interface AuditAnswer {
  version: 1
  entries: AuditEntry[]
}
