import type { Job, Place } from '../../api/job.ts'
import { HttpProblem } from '../../http/problem.ts'
import { orderLock } from './advisory-locks.ts'
import type { Query } from './database.ts'

/** Where a job stands: a position between those of its neighbours, as PostgreSQL's numeric. */
export interface Spot {
  priority: number
  position: string
}

/** Each move between two neighbours takes a digit more; with so many the whole list is given new positions. */
const mostDigits = 100

/**
 * Finds the spot of a job that is to be put at `place`, by the same rules as `placeJob`. Servers take turns with it until the end of the transaction.
 * Throws `HttpProblem` 404 when the neighbour is not listed.
 */
export async function findSpot(query: Query, { id, priority }: Pick<Job, 'id' | 'priority'>, place: Place): Promise<Spot> {
  await query('SELECT pg_advisory_xact_lock($1, $2)', orderLock)
  if ('at' in place) {
    const [spot] = await query<Spot>(
      place.at === 'last'
        ? `SELECT $1::integer AS priority, nextval('ingot.job_order')::text AS position`
        : `SELECT greatest(max(priority), $1) AS priority, (coalesce(floor(min(position)), 1) - 1)::text AS position FROM ingot.jobs`,
      [priority],
    )
    return spot!
  }
  const [other, side] = 'before' in place ? [place.before, 'before' as const] : [place.after, 'after' as const]
  const found = await spotBeside(query, id, other, side)
  if (found === undefined) throw new HttpProblem(404, `no job '${other}' is listed`)
  if (found.digits <= mostDigits) return found
  await renumber(query)
  return (await spotBeside(query, id, other, side))!
}

async function spotBeside(query: Query, id: string, other: string, side: 'before' | 'after'): Promise<(Spot & { digits: number }) | undefined> {
  const beyond =
    side === 'before'
      ? `coalesce((SELECT max(position) FROM ingot.jobs WHERE position < other.position AND id <> $1), floor(other.position) - 2)`
      : `coalesce((SELECT min(position) FROM ingot.jobs WHERE position > other.position AND id <> $1), nextval('ingot.job_order'))`
  // A product is exact, and a quotient is not.
  const [spot] = await query<Spot & { digits: number }>(
    `SELECT priority, position::text, scale(position) AS digits
    FROM (SELECT priority, (position + ${beyond}) * 0.5 AS position FROM ingot.jobs AS other WHERE id = $2 AND id <> $1) AS between`,
    [id, other],
  )
  return spot
}

/** Whole numbers in the same order, all of them lower than any that the sequence gives. */
async function renumber(query: Query): Promise<void> {
  // No job may come in meanwhile that is not seen.
  await query('LOCK TABLE ingot.jobs IN SHARE ROW EXCLUSIVE MODE')
  await query(
    `UPDATE ingot.jobs SET position = numbered.position
    FROM (SELECT id, row_number() OVER (ORDER BY position, id) - count(*) OVER () AS position FROM ingot.jobs) AS numbered
    WHERE jobs.id = numbered.id`,
  )
}
