import type { FastifyRequest } from 'fastify'
import { HttpProblem } from '../http/problem.ts'
import type { MachineRecord } from '../machine-store.ts'
import type { FirstComputerLink } from './first-computer-link.ts'
import { gather } from './gather.ts'
import { mergeMachines } from './merge-machines.ts'
import { describeOutage } from './outage.ts'
import { viaOf } from './pass-on.ts'

export interface MachineChange {
  method: 'PUT' | 'DELETE'
  path: string
  body?: unknown
  /** What is changed, in the plural: `labels`. */
  what: string
}

/**
 * Changes what is said of a machine at every first computer, and returns the machine as all know it then. Throws `HttpProblem` 503, having changed nothing,
 * while one is away, and 503 when not all took it.
 */
export async function changeEverywhere(links: readonly FirstComputerLink[], request: FastifyRequest, { method, path, body, what }: MachineChange): Promise<MachineRecord> {
  const away = links.map(describeOutage).filter((each) => each !== undefined)
  if (away.length > 0) throw new HttpProblem(503, `${what} go to every first computer, and not all can be reached`, away)
  const ask = (link: FirstComputerLink) => link.ask<MachineRecord>(path, { role: 'operator', method, ...(body === undefined ? {} : { body }), via: viaOf(request) })
  const { answers, problems } = await gather(links, ask)
  if (problems.length > 0) throw new HttpProblem(503, `not every first computer took the ${what}; set them again`, problems)
  return mergeMachines(answers.map(({ answer }) => [answer]))[0]!
}
