import type { ComponentRef } from '../../images/component.ts'
import type { ResolvedComponents } from '../../images/plan-recipe.ts'
import type { ComponentStore } from './component-store.ts'
import type { EnsureRootfs, WantedRootfs } from './ensure-rootfs.ts'
import type { LoadedRecipe } from './recipe-store.ts'

export interface ResolveOptions {
  store: ComponentStore
  ensureRootfs: EnsureRootfs
  /** Programs that the steps need, in the store already. */
  tools: ComponentRef
  /** One line for people at a time. */
  onProgress: (line: string) => void
}

/** Brings every component of a recipe into the store. Throws what `EnsureRootfs` throws. */
export async function resolveComponents({ recipe, digest, files }: LoadedRecipe, options: ResolveOptions): Promise<ResolvedComponents> {
  const { store, tools, onProgress } = options
  const stored = new Map<string, ComponentRef>()
  for (const [path, bytes] of files) stored.set(path, await store.add(path, [bytes]))
  const resolved: ResolvedComponents = { recipeDigest: digest, tools, files: stored }

  const ensure = async (wanted: WantedRootfs): Promise<ComponentRef> => {
    const { component, reused, reason } = await options.ensureRootfs(wanted, onProgress)
    onProgress(`${component.name}: ${reused ? 'reused' : 'built'}, ${reason}`)
    return component
  }
  for (const step of recipe.install ?? []) {
    if ('rootfs' in step) resolved.rootfs = await ensure({ base: step.rootfs, format: 'tar.zst' })
    if ('debootstrap' in step) resolved.debootstrapTools = await ensure({ base: debootstrapSystem(step.debootstrap.suite), format: 'squashfs' })
  }
  return resolved
}

/** The small Debian in which debootstrap runs on the worker. */
const debootstrapSystem = (suite: 'bookworm') => ({ suite, packages: ['debootstrap', 'wget'] })
