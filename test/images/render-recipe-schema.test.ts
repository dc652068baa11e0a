import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { renderRecipeSchema } from '../../images/render-recipe-schema.ts'

test('the published JSON Schema is the one that recipes are checked by', async () => {
  expect(await readFile(join(import.meta.dirname, '../../images/recipe.schema.json'), 'utf8')).toBe(renderRecipeSchema())
})
