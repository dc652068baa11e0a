import type { Job, Place } from '../api/job.ts'
import { HttpProblem } from '../http/problem.ts'

/** Throws `HttpProblem` 404 when the list does not hold it. */
export function findJob(jobs: readonly Job[], id: string): Job {
  const job = jobs.find((each) => each.id === id)
  if (job === undefined) throw new HttpProblem(404, `no job '${id}' is listed`)
  return job
}

/**
 * Puts a job on a list that does not hold it. Beside another job it takes that one's priority, at the very first the highest of all if its own is
 * lower, because only then does it come where the user wants it (B4); last it keeps its own. Throws `HttpProblem` 404 when the other is not there.
 */
export function placeJob(jobs: readonly Job[], job: Job, place: Place): Job[] {
  if ('at' in place) {
    if (place.at === 'last') return [...jobs, job]
    return [{ ...job, priority: jobs.reduce((highest, each) => Math.max(highest, each.priority), job.priority) }, ...jobs]
  }
  const id = 'before' in place ? place.before : place.after
  const other = findJob(jobs, id)
  const at = jobs.indexOf(other)
  return jobs.toSpliced('before' in place ? at : at + 1, 0, { ...job, priority: other.priority })
}
