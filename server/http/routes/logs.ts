import type { FastifyPluginAsync } from 'fastify'
import { Type } from 'typebox'
import { may } from '../auth.ts'
import { claimOf } from '../claim-of.ts'
import { HttpProblem } from '../problem.ts'
import { jobParams, type JobRoutesOptions, type WithJobId } from './job-routes-options.ts'

const querySchema = Type.Object(
  { offset: Type.Optional(Type.String({ pattern: '^(0|[1-9][0-9]{0,14})$', description: 'a whole number of bytes' })) },
  { additionalProperties: false },
)

/** What the workers of a job said, as plain text (F8). */
export const logRoutes: FastifyPluginAsync<Pick<JobRoutesOptions, 'jobs' | 'authorize'>> = async (app, { jobs, authorize }) => {
  // `?offset=1024` leaves out the first 1024 bytes, so that a log is followed by asking for what came since.
  app.get<WithJobId & { Querystring: { offset?: string } }>('/logs/:id.log', { schema: { params: jobParams, querystring: querySchema } }, async (request, reply) => {
    const { role } = await authorize(request, may.lookOrWork)
    if (role === 'worker') await jobs.mayRead(request.params.id, claimOf(request))
    const log = Buffer.from(await jobs.log(request.params.id))
    const offset = Number(request.query.offset ?? 0)
    if (offset > log.byteLength) throw new HttpProblem(416, `offset: expected at most ${log.byteLength}, the bytes of the log, got ${offset}`)
    return reply.type('text/plain; charset=utf-8').send(log.subarray(offset))
  })

  app.post<WithJobId & { Body: string }>('/logs/:id.log', { schema: { params: jobParams } }, async (request, reply) => {
    await authorize(request, may.work)
    if (typeof request.body !== 'string') throw new HttpProblem(415, 'body: expected text/plain')
    await jobs.appendLog(request.params.id, request.body, claimOf(request))
    return reply.code(204).send()
  })
}
