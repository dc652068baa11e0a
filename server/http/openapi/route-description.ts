import type { TSchema } from 'typebox'
import type { may } from '../auth.ts'

/** Who may ask: a kind of thing that a role may do, or `anyone`, who needs no credential. */
export type Access = keyof typeof may | 'anyone'

/** What `GET /openapi.json` tells of one route besides what it checks requests by, which comes from the route itself. */
export interface RouteDescription {
  /** A heading that it stands under. */
  tag: 'Jobs' | 'Workers' | 'Machines' | 'Images' | 'Registry' | 'Booting' | 'Sessions' | 'Tokens' | 'Watching'
  summary: string
  access: Access
  /** Answers of success by status: what they hold, and for JSON of which shape. Refusals are problem details and the same for all. */
  answers: Record<number, Answer>
}

export interface Answer {
  description: string
  /** Of a JSON answer. */
  schema?: TSchema
  /** Media type of any other; left out when there is no content. */
  type?: string
}

/** Descriptions by method and path, as in `GET /jobs/:id.json`. */
export type RouteDescriptions = Readonly<Record<string, RouteDescription>>

export const json = (description: string, schema: TSchema): Answer => ({ description, schema })
export const content = (description: string, type: string): Answer => ({ description, type })
export const nothing = (description: string): Answer => ({ description })
