import { Gauge } from 'prom-client'
import { listedStates, type ListedJob } from '../api/job.ts'
import type { Metrics } from './create-metrics.ts'

/** Upper ends of the age of jobs, in seconds: a minute, an hour, a day, a week. */
const agesSeconds = [60, 3600, 86_400, 604_800, Infinity]
const labelOf = (ageSeconds: number): string => (ageSeconds === Infinity ? '+Inf' : String(ageSeconds))

export interface ObserveJobsOptions {
  list: () => Promise<readonly Pick<ListedJob, 'state' | 'createdAt'>[]>
  now?: () => number
}

/** The listed jobs by state and by age since they were put on the list; one that stands there without its moment has no age. */
export function observeJobs({ registry, readBefore }: Metrics, { list, now = Date.now }: ObserveJobsOptions): void {
  const registers = [registry]
  const count = new Gauge({ name: 'ingot_jobs', help: 'Listed jobs by state', labelNames: ['state'] as const, registers })
  const byAge = new Gauge({ name: 'ingot_jobs_age_seconds_bucket', help: 'Listed jobs by state that were put on the list at most so many seconds ago', labelNames: ['state', 'le'] as const, registers })
  const oldest = new Gauge({ name: 'ingot_jobs_oldest_age_seconds', help: 'Age of the job that has been listed longest, by state', labelNames: ['state'] as const, registers })

  readBefore('jobs', async () => {
    for (const each of [count, byAge, oldest]) each.reset()
    const jobs = await list()
    for (const state of listedStates) {
      const ofState = jobs.filter((job) => job.state === state)
      const ages = ofState.flatMap(({ createdAt }) => (createdAt === undefined ? [] : [Math.max(0, now() - Date.parse(createdAt)) / 1000]))
      count.set({ state }, ofState.length)
      oldest.set({ state }, ages.reduce((most, age) => Math.max(most, age), 0))
      for (const most of agesSeconds) byAge.set({ state, le: labelOf(most) }, ages.filter((age) => age <= most).length)
    }
  })
}
