import type { FastifyPluginAsync } from 'fastify'
import { workerIdSchema } from '../../api/job.ts'
import type { TimelineAnswer, TimelinesAnswer } from '../../api/timeline.ts'
import type { EventLog } from '../../event-log.ts'
import { diagnoseMachine } from '../../timeline/diagnose.ts'
import type { MachineHistories } from '../../timeline/machine-histories.ts'
import { may, type Authorize } from '../auth.ts'
import { HttpProblem } from '../problem.ts'

export interface TimelineRoutesOptions {
  histories: MachineHistories
  events: EventLog
  authorize: Authorize
}

const params = { type: 'object', properties: { id: workerIdSchema }, required: ['id'] } as const

/** Where each machine is and why it stopped, and the hops of one (F8). What happens from then on is told by `GET /events`. */
export const timelineRoutes: FastifyPluginAsync<TimelineRoutesOptions> = async (app, { histories, events, authorize }) => {
  const refresh = async (): Promise<void> => {
    await events.written()
    await histories.refresh()
  }

  app.get('/timelines.json', async (request): Promise<TimelinesAnswer> => {
    await authorize(request, may.look)
    await refresh()
    const nowMs = Date.now()
    const machines = histories.machines().flatMap((machine) => {
      const now = diagnoseMachine(histories.of(machine), nowMs)
      return now === undefined ? [] : [{ machine, now }]
    })
    return { version: 1, machines }
  })

  app.get<{ Params: { id: string } }>('/machines/:id/timeline', { schema: { params } }, async (request): Promise<TimelineAnswer> => {
    await authorize(request, may.look)
    await refresh()
    const { id } = request.params
    const known = histories.of(id)
    const now = diagnoseMachine(known, Date.now())
    if (now === undefined) throw new HttpProblem(404, `nothing was heard of the machine ${id}`)
    return { version: 1, machine: id, now, events: [...known] }
  })
}
