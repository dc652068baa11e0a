import type { ComponentRef } from '../../images/component.ts'
import type { Plan } from '../../images/plan.ts'
import { planRecipe, type ResolvedComponents } from '../../images/plan-recipe.ts'
import type { Recipe } from '../../images/recipe.ts'
import type { ImageStore } from '../image-store/open-image-store.ts'
import { fetchReleases } from './fetch-releases.ts'
import type { RecipeStore } from './recipe-store.ts'
import { resolveBase } from './resolve-base.ts'
import { resolveComponents, type ResolveOptions } from './resolve-components.ts'

export interface PlanBuildOptions extends Pick<ResolveOptions, 'store' | 'ensureRootfs' | 'onProgress'> {
  recipes: RecipeStore
  images: Pick<ImageStore, 'resolve'>
  /** Brings the programs that the steps need into the store. */
  keepTools: () => Promise<ComponentRef>
  /** Digest of the appliance that workers boot. */
  applianceDigest: () => Promise<string>
  /** Base of the package archive, for example `http://127.0.0.1:8080/packages`. */
  packagesUrl: string
  fetch: typeof fetch
}

export interface Build {
  recipe: string
  /** Whether it may start from what an earlier build of the same first steps kept, and keeps that for later ones. */
  cache: boolean
  /** Digest of the image to start from, when that is settled. */
  pinned?: string
}

/** The script that builds a recipe. Throws what `RecipeStore.load`, `resolveBase` and `EnsureRootfs` throw. */
export async function planBuild({ recipe: name, cache, pinned }: Build, options: PlanBuildOptions): Promise<Plan> {
  const loaded = await options.recipes.load(name)
  const { recipe } = loaded
  const from = await resolveBase(recipe, options.images, pinned)
  const resolved = await resolveComponents(loaded, { ...options, tools: await options.keepTools() })
  const snapshot = cache ? await findFacts(recipe, options) : undefined
  return planRecipe(recipe, { ...resolved, ...(from === undefined ? {} : { from }), ...(snapshot === undefined ? {} : { snapshot }) })
}

/** Nothing when it cannot be told what apt would install now. */
async function findFacts({ install = [] }: Recipe, { applianceDigest, packagesUrl, fetch, onProgress }: PlanBuildOptions): Promise<ResolvedComponents['snapshot']> {
  const asksApt = install.some((step) => 'packages' in step || 'debootstrap' in step)
  try {
    const releases = asksApt ? await fetchReleases('bookworm', packagesUrl, fetch) : []
    return { appliance: await applianceDigest(), releases: releases.map(({ digest }) => digest) }
  } catch (error) {
    onProgress(`all steps are performed anew: what apt would install cannot be told: ${(error as Error).message}`)
    return undefined
  }
}
