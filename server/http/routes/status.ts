import { randomBytes } from 'node:crypto'
import type { FastifyPluginAsync, FastifyRequest } from 'fastify'
import { claimHeader } from '../../api/headers.ts'
import { statusReportSchema, type StatusReport } from '../../api/status.ts'
import { etagOf } from '../../jobs/job-service.ts'
import { may } from '../auth.ts'
import { claimOf } from '../claim-of.ts'
import { HttpProblem } from '../problem.ts'
import { refuseOtherMachine } from '../refuse-other-machine.ts'
import { jobParams, type JobRoutesOptions, type WithJobId } from './job-routes-options.ts'

/** The preconditions of a write (RFC 9110, 13.1): `claim` makes the status, `report` replaces it, given `etag` only as that one. */
type Write = { kind: 'claim' } | { kind: 'report'; etag?: string }

function writeOf({ headers }: FastifyRequest): Write {
  const match = headers['if-match']
  const noneMatch = headers['if-none-match']
  if (match !== undefined && noneMatch !== undefined) throw new HttpProblem(400, 'expected If-None-Match: * to claim or If-Match to report, got both')
  if (noneMatch !== undefined && noneMatch !== '*') throw new HttpProblem(400, `header If-None-Match: expected *, got ${noneMatch}`)
  if (noneMatch !== undefined) return { kind: 'claim' }
  if (match === '*') return { kind: 'report' }
  if (match !== undefined) return { kind: 'report', etag: match }
  throw new HttpProblem(428, 'expected the header If-None-Match: * to claim the job, or If-Match with its ETag or * to report, got neither')
}

/** The status of a job (B11-B15), the resource that a worker makes to take it. */
export const statusRoutes: FastifyPluginAsync<Pick<JobRoutesOptions, 'jobs' | 'authorize'>> = async (app, { jobs, authorize }) => {
  app.get<WithJobId>('/status/:id.json', { schema: { params: jobParams } }, async (request, reply) => {
    const { role } = await authorize(request, may.lookOrWork)
    const status = await jobs.status(request.params.id)
    // That a job is available, everyone may know; who has it and how far they are, only they.
    if (role === 'worker') await jobs.mayRead(request.params.id, claimOf(request))
    const etag = etagOf(status)
    const unchanged = request.headers['if-none-match'] === etag
    return reply
      .header('etag', etag)
      .code(unchanged ? 304 : 200)
      .send(unchanged ? undefined : status)
  })

  app.put<WithJobId & { Body: StatusReport }>('/status/:id.json', { schema: { params: jobParams, body: statusReportSchema } }, async (request, reply) => {
    const identity = await authorize(request, may.work)
    refuseOtherMachine(identity, request.body.worker)
    const { id } = request.params
    const write = writeOf(request)
    if (write.kind === 'report') {
      const status = await jobs.report(id, request.body, claimOf(request), write.etag)
      return reply.header('etag', etagOf(status)).send(status)
    }
    if (identity.supersededAt !== undefined) throw new HttpProblem(403, `a later boot of ${identity.name} was given a credential at ${identity.supersededAt}: with this one no job is to be had any more`)
    const claim = request.headers[claimHeader] === undefined ? randomBytes(32).toString('base64url') : claimOf(request)
    const report = { worker: identity.name, server: `${request.protocol}://${request.host}`, ...request.body }
    const { status, created } = await jobs.claim(id, report, claim)
    return reply.code(created ? 201 : 200).header(claimHeader, claim).header('etag', etagOf(status)).send(status)
  })

  app.delete<WithJobId>('/status/:id.json', { schema: { params: jobParams } }, async (request, reply) => {
    await authorize(request, may.work)
    await jobs.giveBack(request.params.id, claimOf(request))
    return reply.code(204).send()
  })
}
