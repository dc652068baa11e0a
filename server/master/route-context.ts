import type { FastifyRequest } from 'fastify'
import { jobHeader } from '../api/headers.ts'
import type { Role } from '../api/role.ts'
import type { Authorize, Identity } from '../http/auth.ts'
import { HttpProblem } from '../http/problem.ts'
import type { FirstComputerLink, LinkRole } from './first-computer-link.ts'
import { splitName } from './job-name.ts'

/** What the routes of a master touch. */
export interface MasterContext {
  /** In the order of the configuration. */
  links: readonly FirstComputerLink[]
  authorize: Authorize
}

/** Where a job is: `hall-a.web-1` is `web-1` of `hall-a`. Throws 404 for a name that no first computer can have given. */
export function locate(links: readonly FirstComputerLink[], name: string): { link: FirstComputerLink; name: string } {
  const parts = splitName(name)
  const link = links.find((each) => each.name === parts?.firstComputer)
  if (parts === undefined || link === undefined) {
    throw new HttpProblem(404, `'${name}': expected the name of a first computer and a dot before it (${links.map((each) => `${each.name}.`).join(', ')})`)
  }
  return { link, name: parts.name }
}

/** The first computer whose job the request is for, by its header `Ingot-Job`; `undefined` without one. */
export function locateByHeader(links: readonly FirstComputerLink[], request: FastifyRequest): { link: FirstComputerLink; name: string } | undefined {
  const job = request.headers[jobHeader]
  return typeof job === 'string' ? locate(links, job) : undefined
}

/** The master asks in the capacity of the one who asked it; for an admin in the highest that the request needs, for a viewer as an operator who only looks. */
export const linkRoleOf = ({ role }: Identity, allowed: readonly Role[]): LinkRole => {
  if (role === 'viewer') return 'operator'
  if (role !== 'admin') return role
  return allowed.includes('operator') ? 'operator' : 'worker'
}
