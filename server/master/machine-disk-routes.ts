import type { FastifyPluginAsync, FastifyRequest } from 'fastify'
import type { Static } from 'typebox'
import { planDisks, type DiskPlan } from '../api/disk-plan.ts'
import { may } from '../http/auth.ts'
import { HttpProblem } from '../http/problem.ts'
import { planParamsSchema, refuseUnknownSerial, scratchParamsSchema, withInventory } from '../http/routes/machine-disks.ts'
import { diskTargetQuerySchema, type DiskTargetQuery } from '../jobs/find-disk-target.ts'
import type { MachineRecord } from '../machine-store.ts'
import { changeEverywhere } from './change-everywhere.ts'
import { chooseByImage, chooseByRecipe } from './choose-first-computer.ts'
import type { FirstComputerLink } from './first-computer-link.ts'
import { needAnswer } from './gather.ts'
import { nameAtMaster, splitName } from './job-name.ts'
import { machineLists } from './machine-lists.ts'
import { mergeMachines } from './merge-machines.ts'
import { viaOf } from './pass-on.ts'
import { locate, type MasterContext } from './route-context.ts'

type WithSerial = { Params: Static<typeof scratchParamsSchema> }
type PlanRequest = { Params: Static<typeof planParamsSchema>; Querystring: DiskTargetQuery }

/** Marks of disks, which count for the jobs of every first computer, and what a job of one of them would do (F1). */
export const masterMachineDiskRoutes: FastifyPluginAsync<MasterContext> = async (app, { links, authorize }) => {
  const readMachine = async (id: string, request: FastifyRequest): Promise<MachineRecord> => {
    const { answers } = needAnswer(await machineLists(links, viaOf(request)))
    return mergeMachines(answers.map(({ answer }) => answer)).find((each) => each.id === id) ?? { id, scratchSerials: [], labels: {} }
  }

  for (const method of ['PUT', 'DELETE'] as const) {
    app.route<WithSerial>({
      method,
      url: '/machines/:id/scratch/:serial',
      schema: { params: scratchParamsSchema },
      async handler(request) {
        await authorize(request, may.change)
        const { id, serial } = request.params
        if (method === 'PUT') refuseUnknownSerial(await readMachine(id, request), serial)
        return changeEverywhere(links, request, { method, path: `/machines/${encodeURIComponent(id)}/scratch/${encodeURIComponent(serial)}`, what: 'marks' })
      },
    })
  }

  app.get<PlanRequest>('/machines/:id/plan', { schema: { params: planParamsSchema, querystring: diskTargetQuerySchema } }, async (request): Promise<DiskPlan> => {
    await authorize(request, may.look)
    const { id } = request.params
    const { link, query } = await aimPlan(links, request.query, viaOf(request))
    const path = `/machines/${encodeURIComponent(id)}/plan?${new URLSearchParams(query)}`
    const [machine, there] = await Promise.all([readMachine(id, request), link.ask<DiskPlan>(path, { role: 'operator', via: viaOf(request) })])
    const named = there.target.image === undefined ? there.target : { ...there.target, image: { ...there.target.image, version: nameAtMaster(link.name, there.target.image.version) } }
    // Judged by every mark, as a worker that has the job from here will be.
    return planDisks(withInventory(machine), named, purposeOf(request.query, named))
  })
}

const purposeOf = ({ recipe, job }: DiskTargetQuery, { image }: DiskPlan['target']): string =>
  recipe !== undefined ? `recipe ${recipe}` : job !== undefined ? `job ${job}` : `image ${image!.name}:${image!.version}`

/** The first computer whose job is asked about, and the query in the names that it has there. */
async function aimPlan(links: readonly FirstComputerLink[], query: DiskTargetQuery, via: string | undefined): Promise<{ link: FirstComputerLink; query: Record<string, string> }> {
  const { recipe, image, version, job } = query
  if ([recipe, image, job].filter((each) => each !== undefined).length !== 1) throw new HttpProblem(400, 'expected one of recipe, image and job, got none or several of them')
  if (job !== undefined) {
    const { link, name } = locate(links, job)
    return { link, query: { ...query, job: name } }
  }
  if (recipe !== undefined) return { link: await chooseByRecipe(recipe, links, via), query }
  const parts = version === undefined ? undefined : splitName(version)
  const named = links.find(({ name }) => name === parts?.firstComputer)
  if (named !== undefined) return { link: named, query: { ...query, version: parts!.name } }
  return { link: await chooseByImage({ image: image!, ...(version === undefined ? {} : { version }) }, links, via), query }
}
