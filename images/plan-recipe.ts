import type { ComponentRef } from './component.ts'
import { planLayout } from './layout.ts'
import type { DiskRule, Plan, Step } from './plan.ts'
import type { ConfigureStep, InstallStep, Recipe } from './recipe.ts'
import { parseSize } from './size.ts'

/** The components that a plan names, once they are in the store of the first computer. */
export interface ResolvedComponents {
  /** Digest of the recipe's text and files together. */
  recipeDigest: string
  /** Programs that the steps need. */
  tools: ComponentRef
  /** The root filesystem, for a recipe that starts with one. */
  rootfs?: ComponentRef
  /** What debootstrap runs on, for a recipe that starts with it. */
  debootstrapTools?: ComponentRef
  /** Files and scripts of the recipe by their path in its folder. */
  files: ReadonlyMap<string, ComponentRef>
}

/**
 * What a recipe becomes (B3): partition, install, configure, generalise, image.
 * Throws when a component that the recipe names is missing, or its layout is one that `parseRecipe` refuses: both are mistakes of the caller.
 */
export function planRecipe(recipe: Recipe, components: ResolvedComponents): Plan {
  const layout = planLayout(recipe.name, parseSize(recipe.disk.size)!, recipe.partitions)
  if ('expected' in layout) throw new Error(`recipe ${recipe.name} has no layout: expected ${layout.expected}, got ${layout.got}`)
  return {
    version: 1,
    recipe: { name: recipe.name, digest: components.recipeDigest },
    architecture: recipe.architecture,
    firmware: recipe.firmware,
    tools: components.tools,
    steps: [
      { kind: 'partition', disk: planDiskRule(recipe.disk), ...layout },
      ...recipe.install.map((step) => planInstall(step, recipe, components)),
      ...(recipe.configure ?? []).map((step) => planConfigure(step, components)),
      { kind: 'generalise' },
      { kind: 'image', image: recipe.image.name },
    ],
  }
}

function planDiskRule({ size, minSize, maxSize, ...identity }: Recipe['disk']): DiskRule {
  return {
    minSizeBytes: Math.max(parseSize(size)!, parseSize(minSize ?? size)!),
    ...(maxSize === undefined ? {} : { maxSizeBytes: parseSize(maxSize)! }),
    ...identity,
  }
}

function planInstall(step: InstallStep, recipe: Recipe, components: ResolvedComponents): Step {
  if ('rootfs' in step) return { kind: 'install-rootfs', component: given(components.rootfs, 'rootfs') }
  if ('packages' in step) return { kind: 'install-packages', packages: step.packages }
  if ('bootloader' in step) return { kind: 'install-bootloader', firmware: recipe.firmware, kernelArguments: step.bootloader.kernelArguments }
  return { kind: 'install-debootstrap', ...step.debootstrap, tools: given(components.debootstrapTools, 'debootstrap tools') }
}

function planConfigure(step: ConfigureStep, { files }: ResolvedComponents): Step {
  if ('script' in step) return { kind: 'configure-script', component: given(files.get(step.script), step.script) }
  const { from, to, mode } = step.file
  return { kind: 'configure-file', component: given(files.get(from), from), path: to, mode: mode ?? '0644' }
}

function given(component: ComponentRef | undefined, name: string): ComponentRef {
  if (component === undefined) throw new Error(`component ${name} was not resolved`)
  return component
}
