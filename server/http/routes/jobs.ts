import type { FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify'
import type { JobListAnswer } from '../../api/job.ts'
import { may } from '../auth.ts'
import { claimOf } from '../claim-of.ts'
import { defaultOffers, listQuerySchema, refuseBesideWorker, selectJobs, type ListQuery } from '../job-list-query.ts'
import { linkNext } from '../paging.ts'
import { pagePerformed, performedQuerySchema, type PerformedQuery } from '../performed-query.ts'
import { machineOf } from '../machine-of.ts'
import { preferWait } from '../prefer-wait.ts'
import { refuseOtherMachine } from '../refuse-other-machine.ts'
import { jobEditRoutes } from './job-edits.ts'
import { jobParams, type JobRoutesOptions, type WithJobId } from './job-routes-options.ts'
import { logRoutes } from './logs.ts'
import { schemaRoutes } from './schemas.ts'
import { statusRoutes } from './status.ts'

/**
 * The job list, the scripts and the status of jobs over HTTP (B7, B11-B15). A worker can be written with curl:
 *
 *     curl -H "Authorization: Bearer $CREDENTIAL" $SERVER/jobs.json
 *     curl -X PUT -H 'If-None-Match: *' -H "Ingot-Claim: $TOKEN" -H "Authorization: Bearer $CREDENTIAL" --json @status.json $SERVER/status/$JOB.json
 */
export const jobRoutes: FastifyPluginAsync<JobRoutesOptions> = async (app, options) => {
  const { jobs, authorize, emit } = options
  await app.register(jobEditRoutes, options)
  await app.register(statusRoutes, options)
  await app.register(logRoutes, options)
  await app.register(schemaRoutes)

  /** The jobs that a worker may take now (B18); it waits for one as long as it prefers and is there to hear it. */
  const offer = async (request: FastifyRequest, reply: FastifyReply, worker: string, limit: number): Promise<JobListAnswer> => {
    const waitSeconds = preferWait(request.headers.prefer)
    if (waitSeconds === undefined) return { version: 1, jobs: await jobs.offers({ worker, limit }) }
    const gone = new AbortController()
    reply.raw.once('close', () => gone.abort())
    reply.header('preference-applied', `wait=${waitSeconds}`)
    return { version: 1, jobs: await jobs.offers({ worker, limit, waitMs: waitSeconds * 1000, signal: gone.signal }) }
  }

  app.get<{ Querystring: ListQuery }>('/jobs.json', { schema: { querystring: listQuerySchema } }, async (request, reply): Promise<JobListAnswer> => {
    const { worker, ...query } = request.query
    const identity = await authorize(request, worker === undefined ? may.lookOrWork : may.work)
    refuseOtherMachine(identity, worker)
    if (worker === undefined) {
      const isWorker = identity.role === 'worker'
      const list = await jobs.list()
      // What others do is no business of a worker.
      const { items, next } = selectJobs(isWorker ? list.filter(({ state }) => state === 'available') : list, query)
      linkNext(request, reply, next)
      const problems = isWorker ? [] : jobs.problems()
      return { version: 1, jobs: items, ...(problems.length > 0 ? { problems } : {}) }
    }
    refuseBesideWorker(query)
    return offer(request, reply, worker, Number(query.limit ?? defaultOffers))
  })

  app.get<WithJobId>('/jobs/:id.json', { schema: { params: jobParams } }, async (request) => {
    await authorize(request, may.look)
    return jobs.show(request.params.id)
  })

  app.get<{ Querystring: PerformedQuery }>('/performed.json', { schema: { querystring: performedQuerySchema } }, async (request, reply) => {
    await authorize(request, may.look)
    const { items, next } = pagePerformed(await jobs.performed(), request.query)
    linkNext(request, reply, next)
    return { version: 1, jobs: items }
  })

  app.get<WithJobId>('/plans/:id.json', { schema: { params: jobParams } }, async (request) => {
    const { role, name } = await authorize(request, may.lookOrWork)
    if (role === 'worker') await jobs.mayRead(request.params.id, claimOf(request))
    const plan = await jobs.plan(request.params.id)
    if (role === 'worker') emit({ machine: await machineOf(jobs, request.params.id, name), hop: 'plan', job: request.params.id })
    return plan
  })
}
