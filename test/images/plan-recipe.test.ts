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

const snapshot = { appliance: component('appliance').digest, releases: [component('release').digest] }

test.each(await recipes.names())('the plan of %s is the golden one', async (name) => {
  const { recipe, files } = await recipes.load(name)
  const plan = planRecipe(recipe, {
    recipeDigest: component('recipe').digest,
    tools: component('tools'),
    rootfs: component('rootfs'),
    files: new Map([...files.keys()].map((path) => [path, component(path)])),
    snapshot,
  })
  expect(Value.Check(planSchema, plan)).toBe(true)
  await expect(`${JSON.stringify(plan, null, 2)}\n`).toMatchFileSnapshot(`golden/${name}.plan.json`)
})

test('both shipped recipes are built on one and the same root filesystem', async () => {
  const bases = await Promise.all((await recipes.names()).map(async (name) => (await recipes.load(name)).recipe.install?.[0]))
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

test('an image is proven by each firmware of its recipe, unless the recipe says otherwise', async () => {
  const { recipe } = await recipes.load('debian-12')
  const components = { recipeDigest: '', tools: component('tools'), rootfs: component('rootfs'), files: new Map(['hosts', 'dhcp.network', 'configure.sh'].map((path) => [path, component(path)])) }
  const proof = (asked: NonNullable<typeof recipe.proof>) => planRecipe({ ...recipe, proof: asked }, components).proof
  expect(proof({})).toEqual({ firmware: ['bios', 'uefi'], checks: recipe.check, timeoutSeconds: 900 })
  expect(proof({ firmware: ['uefi'], secureBoot: true, timeoutSeconds: 60 })).toEqual({ firmware: ['uefi'], secureBoot: true, checks: recipe.check, timeoutSeconds: 60 })
  expect(proof('none')).toBe('none')
})

test('a recipe that starts from an image has that as its first step, pinned, and keeps only what it installs on top', async () => {
  const { recipe: whole } = await recipes.load('debian-12')
  const { partitions: _, install: __, ...rest } = whole
  const from = { image: 'debian-12', version: 'web-1', digest: component('manifest').digest }
  const components = { recipeDigest: '', tools: component('tools'), files: new Map(['hosts', 'dhcp.network', 'configure.sh'].map((path) => [path, component(path)])), from, snapshot }
  const kinds = (more: Partial<typeof whole>) => planRecipe({ ...rest, from: 'debian-12', ...more }, components).steps.map(({ kind }) => kind)
  expect(planRecipe({ ...rest, from: 'debian-12' }, components).steps[0]).toEqual({ kind: 'start-from', disk: { minSizeBytes: 4 * 1024 ** 3 }, diskSizeBytes: 4 * 1024 ** 3, ...from })
  const end = ['configure-file', 'configure-file', 'configure-script', 'generalise', 'image']
  expect(kinds({})).toEqual(['start-from', ...end])
  expect(kinds({ install: [{ packages: ['curl'] }] })).toEqual(['start-from', 'install-packages', 'snapshot', ...end])
  expect(kinds({ install: [{ packages: ['curl'] }], configure: [] })).toEqual(['start-from', 'install-packages', 'generalise', 'image'])
})

test('nothing is kept when it is not to be', async () => {
  const { recipe, files } = await recipes.load('debian-12')
  const { steps } = planRecipe(recipe, { recipeDigest: '', tools: component('tools'), rootfs: component('rootfs'), files: new Map([...files.keys()].map((path) => [path, component(path)])) })
  expect(steps.map(({ kind }) => kind)).not.toContain('snapshot')
})
