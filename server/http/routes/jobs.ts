import { randomBytes } from 'node:crypto'
import type { FastifyPluginAsync, FastifyRequest } from 'fastify'
import { newJobSchema, jobIdSchema, type Job, type NewJob } from '../../api/job.ts'
import { claimHeader, jobHeader } from '../../api/headers.ts'
import { statusReportSchema, type StatusReport } from '../../api/status.ts'
import type { Emit } from '../../event-log.ts'
import type { JobService } from '../../jobs/job-service.ts'
import type { Authorize } from '../auth.ts'
import { HttpProblem } from '../problem.ts'

export interface JobRoutesOptions {
  jobs: JobService
  authorize: Authorize
  emit: Emit
  /** Makes a job from a recipe and puts it on the list; throws `IngotError` when the recipe is unknown or wrong. */
  createJob: (wanted: NewJob) => Promise<Job>
}

const paramsSchema = { type: 'object', properties: { id: jobIdSchema }, required: ['id'] } as const
type WithId = { Params: { id: string } }

/** The claim token of a request; throws 400 when there is none. */
export const claimOf = (request: FastifyRequest): string => {
  const claim = request.headers[claimHeader]
  if (typeof claim !== 'string') throw new HttpProblem(400, 'header Ingot-Claim: expected the token of the claim (a new claim wants If-None-Match: * instead), got none')
  return claim
}

/** The job that a worker uploads for; throws 400 when it does not tell. */
export const jobOf = (request: FastifyRequest): string => {
  const job = request.headers[jobHeader]
  if (typeof job !== 'string') throw new HttpProblem(400, 'header Ingot-Job: expected the id of the job that this upload is for, got none')
  return job
}

/**
 * The job list, the scripts and the status of jobs over HTTP (B7, B11-B15). A worker can be written with curl:
 *
 *     curl -H "Authorization: Bearer $CREDENTIAL" $SERVER/jobs.json
 *     curl -X PUT -H 'If-None-Match: *' -H "Ingot-Claim: $TOKEN" -H "Authorization: Bearer $CREDENTIAL" --json @status.json $SERVER/status/$JOB.json
 */
export const jobRoutes: FastifyPluginAsync<JobRoutesOptions> = async (app, { jobs, authorize, emit, createJob }) => {
  app.get('/jobs.json', async (request) => {
    await authorize(request, ['worker', 'operator'])
    return { version: 1, jobs: await jobs.list() }
  })

  app.post<{ Body: NewJob }>('/jobs', { schema: { body: newJobSchema } }, async (request, reply) => {
    await authorize(request, ['operator'])
    const job = await createJob(request.body)
    return reply.code(201).header('location', `/plans/${job.id}.json`).send(job)
  })

  app.get<WithId>('/plans/:id.json', { schema: { params: paramsSchema } }, async (request) => {
    const { role, name } = await authorize(request, ['worker', 'operator'])
    const plan = await jobs.plan(request.params.id)
    if (role === 'worker') emit({ machine: name, hop: 'plan', job: request.params.id })
    return plan
  })

  app.get<WithId>('/status/:id.json', { schema: { params: paramsSchema } }, async (request) => {
    await authorize(request, ['worker', 'operator'])
    return jobs.status(request.params.id)
  })

  app.put<WithId & { Body: StatusReport }>(
    '/status/:id.json',
    { schema: { params: paramsSchema, body: statusReportSchema } },
    async (request, reply) => {
      const { name } = await authorize(request, ['worker'])
      const { id } = request.params
      if (request.headers['if-none-match'] !== '*') return jobs.report(id, request.body, claimOf(request))
      const claim = request.headers[claimHeader] === undefined ? randomBytes(32).toString('base64url') : claimOf(request)
      const report = { worker: name, server: `${request.protocol}://${request.host}`, ...request.body }
      const { status, created } = await jobs.claim(id, report, claim)
      return reply.code(created ? 201 : 200).header(claimHeader, claim).send(status)
    },
  )

  app.get<WithId>('/logs/:id.log', { schema: { params: paramsSchema } }, async (request, reply) => {
    await authorize(request, ['worker', 'operator'])
    return reply.type('text/plain; charset=utf-8').send(await jobs.log(request.params.id))
  })

  // What a worker says, as plain text to be put at the end of the job's log.
  app.post<WithId & { Body: string }>('/logs/:id.log', { schema: { params: paramsSchema } }, async (request, reply) => {
    await authorize(request, ['worker'])
    if (typeof request.body !== 'string') throw new HttpProblem(415, 'body: expected text/plain')
    await jobs.appendLog(request.params.id, request.body, claimOf(request))
    return reply.code(204).send()
  })
}
