import type { FastifyInstance } from 'fastify'
import type { Logger } from 'pino'
import type { EventLog } from '../event-log.ts'
import type { JobService } from '../jobs/job-service.ts'
import type { MachineStore } from '../machine-store.ts'
import { version } from '../version.ts'
import { createMetrics, type Metrics } from './create-metrics.ts'
import { observeEvents } from './observe-events.ts'
import { observeJobs } from './observe-jobs.ts'
import { observeMachines } from './observe-machines.ts'
import { observeRequests } from './observe-requests.ts'

export interface FirstComputerParts {
  app: FastifyInstance
  events: Pick<EventLog, 'follow'>
  jobs: Pick<JobService, 'list'>
  machines: Pick<MachineStore, 'list'>
  log: Logger
}

/** The metrics of a first computer; made before its routes, which are measured from then on. */
export function createFirstComputerMetrics({ app, events, jobs, machines, log }: FirstComputerParts): Metrics {
  const metrics = createMetrics({ log, version })
  observeRequests(app, metrics.registry)
  observeEvents(events, metrics.registry)
  observeJobs(metrics, jobs)
  observeMachines(metrics, { events, machines })
  return metrics
}
