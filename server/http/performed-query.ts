import { Type, type Static } from 'typebox'
import type { EndedJob } from '../api/history.ts'
import { pageOf, pagingFields, type Page } from './paging.ts'

/** The query of `GET /performed.json`; `after` is the version that a job's image has, or the id of the job where there is none. */
export const performedQuerySchema = Type.Object({ ...pagingFields, order: Type.Optional(Type.Enum(['oldest', 'newest'], { description: 'which come first; default oldest' })) }, { additionalProperties: false })
export type PerformedQuery = Static<typeof performedQuerySchema>

/** What a performed job is called among all that were performed: the same job may have been so more than once. */
export const nameOfPerformed = ({ job, status }: EndedJob): string => status?.imageVersion ?? job.id

/** The jobs that a query asks for, of all that were performed, oldest first; throws 410 when there is none that `after` names. */
export const pagePerformed = (performed: readonly EndedJob[], { order, ...paging }: PerformedQuery): Page<EndedJob> =>
  pageOf(order === 'newest' ? performed.toReversed() : performed, nameOfPerformed, paging)
