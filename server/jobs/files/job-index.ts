import type { Job } from '../../api/job.ts'

/** Higher priority first; the sort is stable, so that jobs of one priority keep the user's order (B4). */
export const byPriority = (jobs: readonly Job[]): Job[] => jobs.toSorted((one, other) => other.priority - one.priority)

/** The list in the order in which jobs are taken, made so that the first available ones are found as fast on a long list as on a short one. */
export interface JobIndex {
  /** Takes over a new list. */
  fill(jobs: readonly Job[]): void
  /** Takes a job off, which costs less than to fill anew. */
  take(id: string): void
  /** Tells that a job may be available again. */
  reopen(id: string): void
  job(id: string): Job | undefined
  inOrder(): Iterable<Job>
  /** Jobs that were pushed to a machine, in order. */
  assigned(): Iterable<Job>
  /** Jobs in order from the first that may be without status; `hasStatus` moves that beginning on. */
  from(hasStatus: (id: string) => boolean): Iterable<Job>
}

export function createJobIndex(): JobIndex {
  let order: (Job | undefined)[] = []
  let places = new Map<string, number>()
  let assigned: string[] = []
  let first = 0

  function fill(jobs: readonly Job[]): void {
    order = byPriority(jobs)
    places = new Map(order.map((job, place) => [job!.id, place]))
    assigned = order.flatMap((job) => (job?.assignedTo === undefined ? [] : [job.id]))
    first = 0
  }

  const jobOf = (id: string): Job | undefined => {
    const place = places.get(id)
    return place === undefined ? undefined : order[place]
  }

  return {
    fill,
    take(id) {
      const place = places.get(id)
      if (place === undefined) return
      order[place] = undefined
      places.delete(id)
      if (places.size < order.length / 2) fill([...this.inOrder()])
    },
    reopen(id) {
      first = Math.min(first, places.get(id) ?? first)
    },
    job: jobOf,
    *assigned() {
      for (const id of assigned) {
        const job = jobOf(id)
        if (job !== undefined) yield job
      }
    },
    *inOrder() {
      for (const job of order) if (job !== undefined) yield job
    },
    *from(hasStatus) {
      const isPassed = (job: Job | undefined) => job === undefined || hasStatus(job.id)
      while (first < order.length && isPassed(order[first])) first++
      for (let place = first; place < order.length; place++) {
        const job = order[place]
        if (job !== undefined && !hasStatus(job.id)) yield job
      }
    },
  }
}

