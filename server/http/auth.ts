import type { FastifyRequest } from 'fastify'
import type { Role } from '../api/role.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /** Whose request it is, once that is known. */
    identity: Identity | null
  }
}

/** Who may do what, by the kind of thing that is asked; an admin always may. */
export const may = {
  look: ['viewer', 'operator'],
  change: ['operator'],
  work: ['worker'],
  lookOrWork: ['worker', 'viewer', 'operator'],
  changeOrWork: ['worker', 'operator'],
  administer: ['admin'],
} as const satisfies Record<string, readonly Role[]>

/** Whose credential came with a request. */
export interface Identity {
  role: Role
  /** Name of the token, or the id of the machine it was given to. */
  name: string
  /** Given to a machine for its ticket: it speaks for that machine and no other. A worker's token that was made by hand may speak for many. */
  isMachine?: true
  /** When a later boot of that machine was given a credential of its own: this one is good only for a job that the machine took before. */
  supersededAt?: string
}

/**
 * Whose request this is, by its `Authorization: Bearer` credential (RFC 6750), or by the session that a browser's cookie names.
 * Throws `HttpProblem` 401 when there is none or an unknown one, 403 when its role is not among `allowed` (`admin` always is), or when a request of a
 * session did not come from a page of this server.
 */
export type Authorize = (request: FastifyRequest, allowed: readonly Role[]) => Promise<Identity>
