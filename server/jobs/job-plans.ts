import type { Plan } from '../../images/plan.ts'
import { HttpProblem } from '../http/problem.ts'
import type { JobStore } from './job-store.ts'

/** Makes the script of a job from its recipe; throws `IngotError` when the recipe is unknown or wrong or a component cannot be built. */
export type MakePlan = (recipe: string) => Promise<Plan>

export interface JobPlansOptions {
  store: Pick<JobStore, 'plan' | 'writePlan'>
  makePlan: MakePlan
  /** Whether all that a script names is kept here. */
  hasComponents: (plan: Plan) => Promise<boolean>
  /** The recipe of a listed job; throws `HttpProblem` 404 when it is not listed. */
  recipeOf: (id: string) => Promise<string>
}

/** The scripts of jobs (B3). */
export interface JobPlans {
  /** Makes and keeps the script of a job that is to be listed. */
  make(id: string, recipe: string): Promise<Plan>
  /** The script of a job, made now if it was put on the list by hand, or where its components are not kept. */
  read(id: string): Promise<Plan>
}

export function createJobPlans({ store, makePlan, hasComponents, recipeOf }: JobPlansOptions): JobPlans {
  // A script is made once for all who ask for it at the same time.
  const making = new Map<string, Promise<Plan>>()
  // Made here of jobs that another server put on the list: the same, but for the components that were built here.
  const own = new Map<string, Plan>()

  const make = (id: string, recipe: string): Promise<Plan> => {
    const made = makePlan(recipe)
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
      const recipe = await recipeOf(id)
      if (kept === undefined) return making.get(id) ?? make(id, recipe)
      const made = await makePlan(recipe)
      if (made.recipe.digest !== kept.recipe.digest) {
        throw new HttpProblem(409, `job '${id}' was made of another recipe '${recipe}' than the one that is here: expected ${kept.recipe.digest}, got ${made.recipe.digest}`)
      }
      own.set(id, made)
      return made
    },
  }
}
