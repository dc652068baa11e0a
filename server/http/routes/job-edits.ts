import type { FastifyPluginAsync } from 'fastify'
import { Type, type Static } from 'typebox'
import { exactlyOneWork, jobPatchSchema, newJobSchema, placeSchema, workerIdSchema, type JobPatch, type Place } from '../../api/job.ts'
import { may } from '../auth.ts'
import { jobParams, type JobRoutesOptions, type WithJobId } from './job-routes-options.ts'

const newJobBodySchema = Type.Object({ ...newJobSchema.properties, place: Type.Optional(placeSchema) }, { additionalProperties: false, ...exactlyOneWork })
const assignBodySchema = Type.Object({ machine: workerIdSchema }, { additionalProperties: false })

/** What an operator does to the list (B4): each answers with the job as it stands after. */
export const jobEditRoutes: FastifyPluginAsync<JobRoutesOptions> = async (app, { jobs, authorize, createJob }) => {
  app.post<{ Body: Static<typeof newJobBodySchema> }>('/jobs', { schema: { body: newJobBodySchema } }, async (request, reply) => {
    await authorize(request, may.change)
    const { place, ...wanted } = request.body
    const job = await createJob(wanted, place)
    return reply.code(201).header('location', `/jobs/${job.id}.json`).send(job)
  })

  app.patch<WithJobId & { Body: JobPatch }>('/jobs/:id', { schema: { params: jobParams, body: jobPatchSchema } }, async (request) => {
    await authorize(request, may.change)
    return jobs.edit(request.params.id, request.body)
  })

  app.post<WithJobId & { Body: Place }>('/jobs/:id/move', { schema: { params: jobParams, body: placeSchema } }, async (request) => {
    await authorize(request, may.change)
    return jobs.move(request.params.id, request.body)
  })

  app.post<WithJobId & { Body: { machine: string } }>('/jobs/:id/assign', { schema: { params: jobParams, body: assignBodySchema } }, async (request) => {
    await authorize(request, may.change)
    return jobs.assign(request.params.id, request.body.machine)
  })

  for (const action of ['retry', 'cancel'] as const) {
    app.post<WithJobId>(`/jobs/:id/${action}`, { schema: { params: jobParams } }, async (request) => {
      await authorize(request, may.change)
      return jobs[action](request.params.id)
    })
  }

  app.delete<WithJobId>('/jobs/:id', { schema: { params: jobParams } }, async (request, reply) => {
    await authorize(request, may.change)
    await jobs.remove(request.params.id)
    return reply.code(204).send()
  })
}
