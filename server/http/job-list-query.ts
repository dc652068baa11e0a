import { Type, type Static } from 'typebox'
import { jobIdSchema, listedStates as states, workerIdSchema, type ListedJob } from '../api/job.ts'
import { HttpProblem } from './problem.ts'

/** The query of `GET /jobs.json`. */
export const listQuerySchema = Type.Object(
  {
    state: Type.Optional(Type.String({ pattern: `^(${states.join('|')})(,(${states.join('|')}))*$`, description: `one or more of ${states.join(',')}` })),
    limit: Type.Optional(Type.String({ pattern: '^[1-9][0-9]{0,5}$', description: 'a whole number from 1' })),
    after: Type.Optional(jobIdSchema),
    worker: Type.Optional(workerIdSchema),
  },
  { additionalProperties: false },
)
export type ListQuery = Static<typeof listQuerySchema>

/** A worker takes one job; the others are there if somebody else is faster. */
export const defaultOffers = 10

/** The jobs that a query asks for, of the whole list in its order; throws 410 when `after` has left the list since. */
export function selectJobs(jobs: readonly ListedJob[], { state, limit, after }: Omit<ListQuery, 'worker'>): ListedJob[] {
  const last = after === undefined ? -1 : jobs.findIndex(({ id }) => id === after)
  if (after !== undefined && last === -1) throw new HttpProblem(410, `after: job '${after}' is not on the list any more; ask again from its beginning`)
  const wanted = state?.split(',')
  const chosen = jobs.slice(last + 1).filter((job) => wanted === undefined || wanted.includes(job.state))
  return limit === undefined ? chosen : chosen.slice(0, Number(limit))
}

/** What a worker may take now is for the server to say: throws 400 when the query would choose among it. */
export function refuseBesideWorker(query: Omit<ListQuery, 'worker'>): void {
  for (const field of ['state', 'after'] as const) {
    if (query[field] !== undefined) throw new HttpProblem(400, `${field}: expected nothing beside worker, which asks what that worker may take now, got "${query[field]}"`)
  }
}
