import type { ComponentRef } from '../../images/component.ts'
import type { ResolvedComponents } from '../../images/plan-recipe.ts'
import type { ComponentStore } from './component-store.ts'
import type { EnsureRootfs } from './ensure-rootfs.ts'
import type { LoadedRecipe } from './recipe-store.ts'

export interface ResolveOptions {
  store: ComponentStore
  ensureRootfs: EnsureRootfs
  /** Programs that the steps need, and those of debootstrap where it is offered; both in the store already. */
  tools: ComponentRef
  debootstrapTools?: ComponentRef
  /** One line for people at a time. */
  onProgress: (line: string) => void
}

/** Brings every component of a recipe into the store. Throws what `EnsureRootfs` throws. */
export async function resolveComponents({ recipe, digest, files }: LoadedRecipe, options: ResolveOptions): Promise<ResolvedComponents> {
  const { store, tools, debootstrapTools, onProgress } = options
  const [first] = recipe.install
  const stored = new Map<string, ComponentRef>()
  for (const [path, bytes] of files) stored.set(path, await store.add(path, [bytes]))
  const common = { recipeDigest: digest, tools, files: stored, ...(debootstrapTools === undefined ? {} : { debootstrapTools }) }
  if (first === undefined || !('rootfs' in first)) return common

  const rootfs = await options.ensureRootfs(first.rootfs, onProgress)
  onProgress(`${rootfs.component.name}: ${rootfs.reused ? 'reused' : 'built'}, ${rootfs.reason}`)
  return { ...common, rootfs: rootfs.component }
}
