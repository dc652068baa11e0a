import type { FastifyPluginAsync } from 'fastify'
import type { EndedJob } from '../api/history.ts'
import type { JobListAnswer } from '../api/job.ts'
import { may } from '../http/auth.ts'
import { preferWait } from '../http/prefer-wait.ts'
import { defaultOffers, listQuerySchema, refuseBesideWorker, selectJobs, type ListQuery } from '../http/job-list-query.ts'
import { linkNext } from '../http/paging.ts'
import { pagePerformed, performedQuerySchema, type PerformedQuery } from '../http/performed-query.ts'
import { gather, needAnswer } from './gather.ts'
import { fitsAtMaster, nameAtMaster } from './job-name.ts'
import { mergeJobs } from './merge-jobs.ts'
import { offersOf } from './offers.ts'
import { viaOf } from './pass-on.ts'
import { linkRoleOf, type MasterContext } from './route-context.ts'

export interface ListRoutesOptions extends MasterContext {
  /** A worker asks for jobs: its machine must be known where they are. */
  onWorker: (worker: string, via: string | undefined) => Promise<void>
}

/** The lists of all first computers as one (B19). */
export const masterListRoutes: FastifyPluginAsync<ListRoutesOptions> = async (app, { links, authorize, onWorker }) => {
  app.get<{ Querystring: ListQuery }>('/jobs.json', { schema: { querystring: listQuerySchema } }, async (request, reply): Promise<JobListAnswer> => {
    const { worker, ...query } = request.query
    const roles = worker === undefined ? may.lookOrWork : may.work
    const role = linkRoleOf(await authorize(request, roles), roles)
    const via = viaOf(request)
    if (worker !== undefined) {
      refuseBesideWorker(query)
      await onWorker(worker, via)
      const waitSeconds = preferWait(request.headers.prefer)
      if (waitSeconds !== undefined) reply.header('preference-applied', `wait=${waitSeconds}`)
      // The request is over as soon as it was read; it is the answer that nobody waits for any more.
      const gone = new AbortController()
      reply.raw.once('close', () => gone.abort())
      const limit = Number(query.limit ?? defaultOffers)
      return { version: 1, jobs: await offersOf(links, { worker, limit, waitMs: (waitSeconds ?? 0) * 1000, via, signal: gone.signal }) }
    }

    // Only a whole list tells what stands after a job; without that each has to tell no more than all of them together.
    const there = query.after === undefined ? new URLSearchParams(query) : ''
    const { answers, problems } = await gather(links, (link) => link.ask<JobListAnswer>(`/jobs.json?${there}`, { role, via }))
    const lists = answers.map(({ link, answer }) => {
      for (const problem of answer.problems ?? []) problems.push(`${link.name}: ${problem}`)
      for (const { id } of answer.jobs) {
        if (!fitsAtMaster(link.name, id)) problems.push(`${link.name}: job '${id}' is left out, because '${nameAtMaster(link.name, id)}' is too long for the id of a job`)
      }
      return answer.jobs.filter(({ id }) => fitsAtMaster(link.name, id)).map(link.rename.listed)
    })
    const { items, next } = selectJobs(mergeJobs(lists), query)
    linkNext(request, reply, next)
    return { version: 1, jobs: items, ...(problems.length > 0 ? { problems } : {}) }
  })

  app.get<{ Querystring: PerformedQuery }>('/performed.json', { schema: { querystring: performedQuerySchema } }, async (request, reply) => {
    await authorize(request, may.look)
    const via = viaOf(request)
    const { answers, problems } = needAnswer(await gather(links, (link) => link.ask<{ jobs: EndedJob[] }>('/performed.json', { role: 'operator', via })))
    const jobs = answers.flatMap(({ link, answer }) => answer.jobs.map(link.rename.ended))
    const { items, next } = pagePerformed(jobs.toSorted((a, b) => a.endedAt.localeCompare(b.endedAt)), request.query)
    linkNext(request, reply, next)
    return { version: 1, jobs: items, ...(problems.length > 0 ? { problems } : {}) }
  })
}
