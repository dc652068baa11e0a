import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { Value } from 'typebox/value'
import { expect, test } from 'vitest'
import { planRecipe } from '../../images/plan-recipe.ts'
import { planSchema } from '../../images/plan.ts'
import { createRecipeStore } from '../../server/components/recipe-store.ts'

const recipes = createRecipeStore([join(import.meta.dirname, '../../images/recipes')])

/** A component whose digest is of its name, so that the golden plan changes only when the plan does. */
const component = (name: string) => ({ name, digest: `sha256:${createHash('sha256').update(name).digest('hex')}`, sizeBytes: 1000 })

test.each(await recipes.names())('the plan of %s is the golden one', async (name) => {
  const { recipe, files } = await recipes.load(name)
  const plan = planRecipe(recipe, {
    recipeDigest: component('recipe').digest,
    tools: component('tools'),
    rootfs: component('rootfs'),
    files: new Map([...files.keys()].map((path) => [path, component(path)])),
  })
  expect(Value.Check(planSchema, plan)).toBe(true)
  await expect(`${JSON.stringify(plan, null, 2)}\n`).toMatchFileSnapshot(`golden/${name}.plan.json`)
})

test('both shipped recipes are built on one and the same root filesystem', async () => {
  const bases = await Promise.all((await recipes.names()).map(async (name) => (await recipes.load(name)).recipe.install[0]))
  expect(bases.length).toBeGreaterThan(1)
  for (const base of bases) expect(base).toEqual(bases[0])
})

test('the smallest disk that fits is the size of the image, unless the recipe asks for more', async () => {
  const { recipe } = await recipes.load('debian-12')
  const components = { recipeDigest: '', tools: component('tools'), rootfs: component('rootfs'), files: new Map(['hosts', 'dhcp.network', 'configure.sh'].map((path) => [path, component(path)])) }
  const rule = (disk: Partial<typeof recipe.disk>) => planRecipe({ ...recipe, disk: { ...recipe.disk, ...disk } }, components).steps[0]
  expect(rule({ minSize: '2GiB' })).toMatchObject({ disk: { minSizeBytes: 4 * 1024 ** 3 } })
  expect(rule({ minSize: '8GiB', serial: 'S1' })).toMatchObject({ disk: { minSizeBytes: 8 * 1024 ** 3, serial: 'S1' } })
})
