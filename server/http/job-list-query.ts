import { Type, type Static } from 'typebox'
import { jobIdSchema, listedStates as states, workerIdSchema, type ListedJob } from '../api/job.ts'
import { pageOf, pagingFields, type Page } from './paging.ts'
import { HttpProblem } from './problem.ts'

/** The query of `GET /jobs.json`. */
export const listQuerySchema = Type.Object(
  {
    state: Type.Optional(Type.String({ pattern: `^(${states.join('|')})(,(${states.join('|')}))*$`, description: `one or more of ${states.join(',')}` })),
    limit: pagingFields.limit,
    after: Type.Optional(jobIdSchema),
    worker: Type.Optional(workerIdSchema),
  },
  { additionalProperties: false },
)
export type ListQuery = Static<typeof listQuerySchema>

/** A worker takes one job; the others are there if somebody else is faster. */
export const defaultOffers = 10

/** The jobs that a query asks for, of the whole list in its order; throws 410 when `after` has left the list since. */
export function selectJobs(jobs: readonly ListedJob[], { state, limit, after }: Omit<ListQuery, 'worker'>): Page<ListedJob> {
  // A job may have another state by now than when it ended a page: it is looked for among all.
  const { items } = pageOf(jobs, ({ id }) => id, after === undefined ? {} : { after })
  const wanted = state?.split(',')
  const chosen = items.filter((job) => wanted === undefined || wanted.includes(job.state))
  return pageOf(chosen, ({ id }) => id, limit === undefined ? {} : { limit })
}

/** What a worker may take now is for the server to say: throws 400 when the query would choose among it. */
export function refuseBesideWorker(query: Omit<ListQuery, 'worker'>): void {
  for (const field of ['state', 'after'] as const) {
    if (query[field] !== undefined) throw new HttpProblem(400, `${field}: expected nothing beside worker, which asks what that worker may take now, got "${query[field]}"`)
  }
}
