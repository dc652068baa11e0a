import type { FastifyRequest } from 'fastify'

/** What a credential allows: a `worker` takes jobs, an `operator` makes them, an `admin` does all. */
export const roles = ['worker', 'operator', 'admin'] as const
export type Role = (typeof roles)[number]

/** Whose credential came with a request. */
export interface Identity {
  role: Role
  /** Name of the token, or the id of the machine it was given to. */
  name: string
}

/**
 * Whose request this is, by its `Authorization: Bearer` credential (RFC 6750).
 * Throws `HttpProblem` 401 when there is none or an unknown one, 403 when its role is not among `allowed` (`admin` always is).
 */
export type Authorize = (request: FastifyRequest, allowed: readonly Role[]) => Promise<Identity>
