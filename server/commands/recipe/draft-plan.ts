import { createHash } from 'node:crypto'
import type { ComponentRef } from '../../../images/component.ts'
import { planRecipe } from '../../../images/plan-recipe.ts'
import type { Plan } from '../../../images/plan.ts'
import type { LoadedRecipe } from '../../components/recipe-store.ts'

/** Stands where only a build tells the digest. */
const open = `sha256:${'0'.repeat(64)}`
const unbuilt = (name: string): ComponentRef => ({ name, digest: open, sizeBytes: 0 })

/** What a recipe becomes, as far as the recipe alone tells: digests of what has to be built first are zeros. */
export function draftPlan({ recipe, digest, files }: LoadedRecipe): Plan {
  const [image = '', version = 'latest'] = (recipe.from ?? '').split(':')
  return planRecipe(recipe, {
    recipeDigest: digest,
    tools: unbuilt('tools'),
    rootfs: unbuilt('rootfs'),
    debootstrapTools: unbuilt('debootstrap'),
    files: new Map([...files].map(([path, bytes]) => [path, { name: path, digest: `sha256:${createHash('sha256').update(bytes).digest('hex')}`, sizeBytes: bytes.length }])),
    ...(recipe.from === undefined ? {} : { from: { image, version, digest: open } }),
  })
}
