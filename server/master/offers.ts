import { setTimeout as sleep } from 'node:timers/promises'
import type { JobListAnswer, ListedJob } from '../api/job.ts'
import { HttpProblem } from '../http/problem.ts'
import type { FirstComputerLink } from './first-computer-link.ts'
import { fitsAtMaster } from './job-name.ts'
import { gather } from './gather.ts'
import { mergeJobs } from './merge-jobs.ts'

/** A first computer that is up tells its first offers at once; a worker that waits for them is not kept by one that is not. */
const lookLimitMs = 5000
/** A first computer that does not wait, though asked to, is asked again no sooner. */
const shortestRoundMs = 1000

export interface OffersOptions {
  worker: string
  limit: number
  waitMs: number
  via: string | undefined
  signal: AbortSignal
}

/**
 * The jobs of all first computers that this worker may take now, higher priority first. When there are none it waits at all of them at once, also at one
 * that comes back meanwhile, and takes what the first of them offers. Empty when the time is over or `signal` was aborted.
 */
export async function offersOf(links: readonly FirstComputerLink[], options: OffersOptions): Promise<ListedJob[]> {
  const { worker, limit, waitMs, signal } = options
  const { answers } = await gather(links, (link) => look(link, options, { waitMs: 0, signal }))
  const now = mergeJobs(answers.map(({ answer }) => answer), { worker, limit })
  if (now.length > 0 || waitMs <= 0) return now

  const found = new AbortController()
  const over = AbortSignal.any([signal, found.signal, AbortSignal.timeout(waitMs)])
  const until = performance.now() + waitMs
  const waits = links.map((link) => waitAt(link, options, { until, over }))
  try {
    return await Promise.any(waits)
  } catch (error) {
    if (over.aborted) return []
    throw (error as AggregateError).errors[0]
  } finally {
    found.abort()
  }
}

/** Waits at one first computer until it offers something; throws when it is over. */
async function waitAt(link: FirstComputerLink, options: OffersOptions, { until, over }: { until: number; over: AbortSignal }): Promise<ListedJob[]> {
  for (;;) {
    await link.reachable(over)
    const begunAt = performance.now()
    const jobs = await look(link, options, { waitMs: until - begunAt, signal: over }).catch((error: unknown) => {
      if (!(error instanceof HttpProblem)) throw error
      // What is wrong there is told where the whole list is asked for.
      return []
    })
    if (jobs.length > 0) return jobs
    await sleep(Math.max(0, begunAt + shortestRoundMs - performance.now()), undefined, { signal: over })
  }
}

async function look(link: FirstComputerLink, { worker, limit, via }: OffersOptions, { waitMs, signal }: { waitMs: number; signal: AbortSignal }): Promise<ListedJob[]> {
  const waitSeconds = Math.ceil(waitMs / 1000)
  const query = new URLSearchParams({ worker, limit: String(limit) })
  const answer = await link.ask<JobListAnswer>(`/jobs.json?${query}`, {
    role: 'worker',
    via,
    ...(waitSeconds > 0 ? { headers: { prefer: `wait=${waitSeconds}` } } : {}),
    limitMs: lookLimitMs + waitSeconds * 1000,
    signal,
  })
  return answer.jobs.filter(({ id }) => fitsAtMaster(link.name, id)).map(link.rename.listed)
}
