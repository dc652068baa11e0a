import type { ListedJob } from '../api/job.ts'

/**
 * Makes one list of several: higher priority first, then the order of the lists, and what each list has put in order stays so (B4, B7).
 * With `worker`, the jobs that were pushed to it go before all others (B18).
 */
export function mergeJobs(lists: readonly (readonly ListedJob[])[], { worker, limit = Infinity }: { worker?: string | undefined; limit?: number | undefined } = {}): ListedJob[] {
  const goesBefore = (a: ListedJob, b: ListedJob): boolean => {
    const pushed = (job: ListedJob) => worker !== undefined && job.assignedTo === worker
    return pushed(a) === pushed(b) ? a.priority > b.priority : pushed(a)
  }
  const merged: ListedJob[] = []
  // Only the first of each list that is left is looked at: an order that has other reasons than the priority is kept too.
  const next = lists.map(() => 0)
  while (merged.length < limit) {
    let best: number | undefined
    for (const [list, jobs] of lists.entries()) {
      const job = jobs[next[list]!]
      if (job !== undefined && (best === undefined || goesBefore(job, lists[best]![next[best]!]!))) best = list
    }
    if (best === undefined) break
    merged.push(lists[best]![next[best]!++]!)
  }
  return merged
}
