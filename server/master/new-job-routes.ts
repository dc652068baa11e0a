import type { FastifyPluginAsync } from 'fastify'
import { Type, type Static } from 'typebox'
import { placeSchema } from '../api/job.ts'
import { may } from '../http/auth.ts'
import { HttpProblem } from '../http/problem.ts'
import { chooseByImage, chooseByRecipe, recipeLists } from './choose-first-computer.ts'
import type { FirstComputerLink } from './first-computer-link.ts'
import { needAnswer } from './gather.ts'
import { splitName } from './job-name.ts'
import { placeThere } from './job-routes.ts'
import { passOn, viaOf } from './pass-on.ts'
import type { MasterContext } from './route-context.ts'

/** What the master itself reads of `POST /jobs`; the first computer checks all of it. */
const newJobSchema = Type.Object({
  id: Type.Optional(Type.String()),
  recipe: Type.Optional(Type.String({ minLength: 1 })),
  deploy: Type.Optional(Type.Object({ image: Type.String({ minLength: 1 }), version: Type.Optional(Type.String()) })),
  place: Type.Optional(placeSchema),
  origin: Type.Optional(Type.String({ minLength: 1 })),
})
type NewJobThere = Static<typeof newJobSchema>

const querySchema = Type.Object({ origin: Type.Optional(Type.String({ minLength: 1 })) }, { additionalProperties: false })

/**
 * The first computer that a new job is meant for, and the job in the names that it has there. It is named by `origin`, by the id (`hall-a.web-1`), by
 * the place beside another job or by the version that is deployed; `undefined` when by none of them. Throws 409 when they name different ones, and 400 when `origin` names none.
 */
export function aimNewJob(wanted: NewJobThere, names: readonly string[]): { firstComputer: string | undefined; job: NewJobThere } {
  const { origin, id, place, deploy, ...rest } = wanted
  const known = (name: string | undefined) => (name !== undefined && names.includes(name) ? name : undefined)
  const beside = place === undefined ? undefined : 'before' in place ? place.before : 'after' in place ? place.after : undefined
  // Behind another master it is `outer.inner`, and that one is told the rest.
  const [first, inner] = origin === undefined ? [] : [origin.split('.')[0], origin.split('.').slice(1).join('.')]
  if (first !== undefined && known(first) === undefined) throw new HttpProblem(400, `origin: expected one of ${names.join(', ')}, got '${origin}'`)
  if (beside !== undefined && known(splitName(beside)?.firstComputer) === undefined) throw new HttpProblem(404, `place: no job '${beside}' is listed`)

  const firstComputerOf = (name: string | undefined) => known(name === undefined ? undefined : splitName(name)?.firstComputer)
  const named = [first, firstComputerOf(id), firstComputerOf(beside), firstComputerOf(deploy?.version)]
  const [firstComputer, ...others] = new Set(named.filter((each) => each !== undefined))
  if (others.length > 0) throw new HttpProblem(409, `expected origin, id, place and version to name one first computer, got ${[firstComputer, ...others].join(' and ')}`)
  const nameThere = (name: string): string => {
    const parts = splitName(name)
    return parts !== undefined && parts.firstComputer === firstComputer ? parts.name : name
  }
  return {
    firstComputer,
    job: {
      ...rest,
      ...(id === undefined ? {} : { id: nameThere(id) }),
      ...(deploy === undefined ? {} : { deploy: { ...deploy, ...(deploy.version === undefined ? {} : { version: nameThere(deploy.version) }) } }),
      ...(place === undefined ? {} : { place: placeThere(place, nameThere) }),
      ...(inner === undefined || inner === '' ? {} : { origin: inner }),
    },
  }
}

/** Making a job at one of the first computers: the one that the request names, or the first that knows the recipe or has the image. */
export const masterNewJobRoutes: FastifyPluginAsync<MasterContext> = async (app, { links, authorize }) => {
  const choose = async ({ recipe, deploy }: NewJobThere, via: string | undefined): Promise<FirstComputerLink> => {
    if (deploy !== undefined) return chooseByImage(deploy, links, via)
    if (recipe === undefined) throw new HttpProblem(400, 'expected a job with either recipe or deploy, got neither of them')
    return chooseByRecipe(recipe, links, via)
  }

  app.get('/recipes.json', async (request) => {
    await authorize(request, may.look)
    const { answers } = needAnswer(await recipeLists(links, viaOf(request)))
    return { version: 1, recipes: [...new Set(answers.flatMap(({ answer }) => answer))].sort() }
  })

  app.post<{ Body: NewJobThere; Querystring: Static<typeof querySchema> }>('/jobs', { schema: { body: newJobSchema, querystring: querySchema } }, async (request, reply) => {
    await authorize(request, may.change)
    const { body, query } = request
    if (query.origin !== undefined && body.origin !== undefined && query.origin !== body.origin) {
      throw new HttpProblem(400, `origin: expected the same in query and body, got '${query.origin}' and '${body.origin}'`)
    }
    const { firstComputer, job } = aimNewJob({ ...body, ...query }, links.map(({ name }) => name))
    const link = links.find(({ name }) => name === firstComputer) ?? (await choose(body, viaOf(request)))
    return passOn(request, reply, link, { role: 'operator', path: '/jobs', body: job, rename: link.rename.job, hasQuery: false, isPatient: true })
  })
}
