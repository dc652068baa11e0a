import type { FastifyPluginAsync } from 'fastify'
import type { MachineAnswer } from '../api/credential.ts'
import { workerIdSchema } from '../api/job.ts'
import { inventorySchema, labelsBodySchema, type Inventory, type Labels } from '../api/machine.ts'
import { may } from '../http/auth.ts'
import { packagesOf } from '../http/packages-of.ts'
import { linkNext, pageOf, pagingSchema, type Paging } from '../http/paging.ts'
import { HttpProblem } from '../http/problem.ts'
import type { MachineRecord } from '../machine-store.ts'
import { changeEverywhere } from './change-everywhere.ts'
import { gather, needAnswer } from './gather.ts'
import type { Introductions } from './introductions.ts'
import { machineLists } from './machine-lists.ts'
import { mergeMachines } from './merge-machines.ts'
import { viaOf } from './pass-on.ts'
import type { MasterContext } from './route-context.ts'

const params = { type: 'object', properties: { id: workerIdSchema }, required: ['id'] } as const
type WithId = { Params: { id: string } }

/** The machines, known to every first computer, so that each can judge what its jobs require. */
export const masterMachineRoutes: FastifyPluginAsync<MasterContext & { introductions: Introductions }> = async (app, { links, authorize, introductions }) => {
  app.get<{ Querystring: Paging }>('/machines.json', { schema: { querystring: pagingSchema } }, async (request, reply) => {
    await authorize(request, may.look)
    const { answers, problems } = needAnswer(await machineLists(links, viaOf(request)))
    const { items, next } = pageOf(mergeMachines(answers.map(({ answer }) => answer)), ({ id }) => id, request.query)
    linkNext(request, reply, next)
    return { version: 1, machines: items, ...(problems.length > 0 ? { problems } : {}) }
  })

  app.put<WithId & { Body: Inventory }>('/machines/:id.json', { schema: { body: inventorySchema } }, async (request): Promise<MachineAnswer> => {
    await authorize(request, may.work)
    const inventory = request.body
    if (inventory.id !== request.params.id) throw new HttpProblem(400, `id: expected '${request.params.id}' as in the path, got '${inventory.id}'`)
    const { answers } = needAnswer(await introductions.introduce(inventory, viaOf(request)))
    // A mark is about a disk of this machine, whoever made it (F1).
    return { scratchSerials: [...new Set(answers.flatMap(({ answer }) => answer.scratchSerials))], ...packagesOf(request) }
  })

  app.put<WithId & { Body: { labels: Labels } }>('/machines/:id/labels', { schema: { params, body: labelsBodySchema } }, async (request) => {
    await authorize(request, may.change)
    const path = `/machines/${encodeURIComponent(request.params.id)}/labels`
    return changeEverywhere(links, request, { method: 'PUT', path, body: request.body, what: 'labels' })
  })

  // Only one of them is the one that the machine boots from, and all are told.
  for (const { method, what } of [
    { method: 'DELETE', what: 'system' },
    { method: 'POST', what: 'admit' },
    { method: 'POST', what: 'refuse' },
  ] as const) {
    app.route<WithId>({
      method,
      url: `/machines/:id/${what}`,
      schema: { params },
      async handler(request) {
        await authorize(request, may.change)
        const path = `/machines/${encodeURIComponent(request.params.id)}/${what}`
        const { answers, problems } = needAnswer(await gather(links, (link) => link.ask<MachineRecord>(path, { role: 'operator', method, via: viaOf(request) })))
        if (problems.length > 0) throw new HttpProblem(503, 'not every first computer could be told; ask again', problems)
        return mergeMachines(answers.map(({ answer }) => [answer]))[0]
      },
    })
  }
}
