import { recipeSchema } from './recipe.ts'

/** The text of `recipe.schema.json`, which editors use to complete and check a `recipe.yaml` (JSON Schema 2020-12). */
export const renderRecipeSchema = (): string => `${JSON.stringify(recipeSchema, null, 2)}\n`
