import { checkRecipe } from './check-recipe.ts'
import { parseDocumentAs, type Problem } from './parse-document.ts'
import { recipeSchema, type Recipe } from './recipe.ts'

export type ParsedRecipe = { recipe: Recipe; problems: [] } | { recipe: undefined; problems: Problem[] }

/** Reads the text of a `recipe.yaml`: the recipe, or everything that is wrong with it at once. */
export function parseRecipe(text: string): ParsedRecipe {
  const { value, problems } = parseDocumentAs(recipeSchema, text, checkRecipe)
  return value === undefined ? { recipe: undefined, problems } : { recipe: value, problems: [] }
}
