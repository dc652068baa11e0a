import type { FastifyInstance } from 'fastify'
import { Gauge } from 'prom-client'
import type { Logger } from 'pino'
import type { JobListAnswer } from '../api/job.ts'
import { createMetrics, type Metrics } from '../metrics/create-metrics.ts'
import { observeJobs } from '../metrics/observe-jobs.ts'
import { observeRequests } from '../metrics/observe-requests.ts'
import { version } from '../version.ts'
import type { FirstComputerLink } from './first-computer-link.ts'
import { gather, needAnswer } from './gather.ts'

/** The metrics of a master: its requests, the jobs of all first computers that answer, and which of them do. */
export function createMasterMetrics({ app, links, log }: { app: FastifyInstance; links: readonly FirstComputerLink[]; log: Logger }): Metrics {
  const metrics = createMetrics({ log, version })
  observeRequests(app, metrics.registry)
  observeJobs(metrics, {
    async list() {
      const { answers } = needAnswer(await gather(links, (link) => link.ask<JobListAnswer>('/jobs.json', { role: 'operator' })))
      return answers.flatMap(({ answer }) => answer.jobs)
    },
  })
  const up = new Gauge({ name: 'ingot_first_computer_up', help: 'Whether a first computer answers this master', labelNames: ['name'] as const, registers: [metrics.registry] })
  metrics.readBefore('first computers', async () => {
    for (const { name, outage } of links) up.set({ name }, outage === undefined ? 1 : 0)
  })
  return metrics
}
