import type { Plan } from '../../images/plan.ts'
import type { Job } from '../api/job.ts'
import { HttpProblem } from '../http/problem.ts'
import type { JobStore } from './job-store.ts'

/** What the script of a job is made from. */
export type Work = Pick<Job, 'recipe' | 'deploy' | 'cache'> & {
  /** Digest of the image that the recipe starts from, when that is settled. */
  pinned?: string
}

/** Makes the script of a job; throws `IngotError` when the recipe is unknown or wrong, a component cannot be built, or the image is unknown. */
export type MakePlan = (work: Work) => Promise<Plan>

export interface JobPlansOptions {
  store: Pick<JobStore, 'plan' | 'writePlan'>
  makePlan: MakePlan
  /** Whether all that a script names is kept here. */
  hasComponents: (plan: Plan) => Promise<boolean>
  /** What a listed job does; throws `HttpProblem` 404 when it is not listed. */
  workOf: (id: string) => Promise<Work>
}

/** The scripts of jobs (B3). */
export interface JobPlans {
  /** Makes and keeps the script of a job that is to be listed. */
  make(id: string, work: Work): Promise<Plan>
  /** The script of a job, made now if it was put on the list by hand, or where its components are not kept. */
  read(id: string): Promise<Plan>
}

export function createJobPlans({ store, makePlan, hasComponents, workOf }: JobPlansOptions): JobPlans {
  // A script is made once for all who ask for it at the same time.
  const making = new Map<string, Promise<Plan>>()
  // Made here of jobs that another server put on the list: the same, but for the components that were built here.
  const own = new Map<string, Plan>()

  const make = (id: string, work: Work): Promise<Plan> => {
    const made = makePlan(work)
      .then(async (plan) => {
        await store.writePlan(id, plan)
        return plan
      })
      .finally(() => making.delete(id))
    making.set(id, made)
    return made
  }

  return {
    make,
    async read(id) {
      const kept = await store.plan(id)
      if (kept !== undefined && (await hasComponents(kept))) return kept
      const known = own.get(id)
      if (known !== undefined && known.recipe.digest === kept?.recipe.digest) return known
      const work = await workOf(id)
      if (kept === undefined) return making.get(id) ?? make(id, work)
      const made = await makePlan(asPlanned(work, kept))
      if (made.recipe.digest !== kept.recipe.digest) {
        throw new HttpProblem(409, `job '${id}' was made of another recipe '${work.recipe}' than the one that is here: expected ${kept.recipe.digest}, got ${made.recipe.digest}`)
      }
      own.set(id, made)
      return made
    },
  }
}

/** What was the newest version when the script was made is the one that is meant, whatever was published since. */
function asPlanned(work: Work, { steps }: Plan): Work {
  const base = steps.find((step) => step.kind === 'start-from')
  if (base !== undefined) return { ...work, pinned: base.digest }
  const written = steps.find((step) => step.kind === 'write-image')
  return work.deploy === undefined || written === undefined ? work : { deploy: { ...work.deploy, version: written.digest } }
}
