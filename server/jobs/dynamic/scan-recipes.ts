import type { RecipeStore } from '../../components/recipe-store.ts'
import { IngotError } from '../../errors.ts'
import type { JobMaker } from './job-maker.ts'
import { choicesOf, type ListRule } from './list-rule.ts'

/** The id of the job that builds a recipe as it stands, for example `debian-12-5f70bf18a086`: every server that shares a list calls it the same. */
const idOf = (recipe: string, digest: string): string => `${recipe.slice(0, 80)}-${digest.replace(/^sha256:/, '').slice(0, 12)}`

export interface ScanOptions {
  rules: readonly ListRule[]
  recipes: RecipeStore
  maker: JobMaker
  /** Milliseconds since 1970. */
  now: () => number
}

/**
 * Makes a job for each recipe that a rule `when: changed` names and that was never built as it stands now. Of several rules for a recipe the first
 * counts. A recipe that is broken, perhaps because it is being edited, is told of once; the next scan tries it again.
 */
export async function scanRecipes({ rules, recipes, maker, now }: ScanOptions): Promise<void> {
  const changeRules = rules.filter(({ when }) => when === 'changed')
  const names = changeRules.flatMap(({ recipe }) => (recipe === '*' ? [] : [recipe]))
  const all = changeRules.some(({ recipe }) => recipe === '*') ? await recipes.names() : []
  for (const recipe of new Set([...names, ...all])) {
    const rule = changeRules.find((each) => each.recipe === recipe || each.recipe === '*')!
    const madeBy = `changed:${recipe}`
    try {
      const { digest } = await recipes.load(recipe)
      await maker.make({ ...choicesOf(rule), id: idOf(recipe, digest), recipe, madeBy, createdAt: new Date(now()).toISOString() })
    } catch (error) {
      if (!(error instanceof IngotError)) throw error
      maker.fail(madeBy, error)
    }
  }
}
