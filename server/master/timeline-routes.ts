import type { FastifyPluginAsync } from 'fastify'
import { workerIdSchema } from '../api/job.ts'
import type { TimelineAnswer, TimelinesAnswer } from '../api/timeline.ts'
import { may } from '../http/auth.ts'
import { HttpProblem } from '../http/problem.ts'
import { diagnoseMachine } from '../timeline/diagnose.ts'
import { gather, needAnswer } from './gather.ts'
import { viaOf } from './pass-on.ts'
import type { MasterContext } from './route-context.ts'

const params = { type: 'object', properties: { id: workerIdSchema }, required: ['id'] } as const

/** Where the machines are: a machine boots from one first computer, and may work for others. */
export const masterTimelineRoutes: FastifyPluginAsync<MasterContext> = async (app, { links, authorize }) => {
  app.get('/timelines.json', async (request): Promise<TimelinesAnswer & { problems?: string[] }> => {
    await authorize(request, may.look)
    const { answers, problems } = needAnswer(await gather(links, (link) => link.ask<TimelinesAnswer>('/timelines.json', { role: 'operator', via: viaOf(request) })))
    const newest = new Map<string, TimelinesAnswer['machines'][number]>()
    for (const each of answers.flatMap(({ answer }) => answer.machines)) {
      if (each.now.since >= (newest.get(each.machine)?.now.since ?? '')) newest.set(each.machine, each)
    }
    const machines = [...newest.values()].toSorted((a, b) => (a.machine < b.machine ? -1 : 1))
    return { version: 1, machines, ...(problems.length > 0 ? { problems } : {}) }
  })

  app.get<{ Params: { id: string } }>('/machines/:id/timeline', { schema: { params } }, async (request): Promise<TimelineAnswer & { problems?: string[] }> => {
    await authorize(request, may.look)
    const { id } = request.params
    const path = `/machines/${encodeURIComponent(id)}/timeline`
    const { answers, problems } = needAnswer(
      await gather(links, async (link) => {
        const known = await link.ask<TimelineAnswer | null>(path, { role: 'operator', via: viaOf(request), absent: null })
        return (known?.events ?? []).map((event) => link.rename.event(event))
      }),
    )
    const events = answers.flatMap(({ answer }) => answer).toSorted((a, b) => (a.time < b.time ? -1 : a.time > b.time ? 1 : 0))
    const now = diagnoseMachine(events, Date.now())
    if (now === undefined) throw new HttpProblem(404, `nothing was heard of the machine ${id}`, problems)
    return { version: 1, machine: id, now, events, ...(problems.length > 0 ? { problems } : {}) }
  })
}
