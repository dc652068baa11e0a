import type { ComponentRef } from './component.ts'
import { planLayout } from './layout.ts'
import type { DiskRule, Plan, ProofPlan, Step, StepOf } from './plan.ts'
import type { ConfigureStep, InstallStep, Recipe } from './recipe.ts'
import { parseSize } from './size.ts'
import { snapshotTag, type SnapshotFacts } from './snapshot-tag.ts'

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
  /** The image that the recipe starts from, if it does. */
  from?: Pick<StepOf<'start-from'>, 'image' | 'version' | 'digest'>
  /** By what the result of the install steps is known again; missing when it is not to be kept. */
  snapshot?: Omit<SnapshotFacts, 'tools'>
}

/**
 * What a recipe becomes (B3): partition or start from an image, install, keep what came of that, configure, generalise, image.
 * Throws when a component that the recipe names is missing, or its layout is one that `parseRecipe` refuses: both are mistakes of the caller.
 */
export function planRecipe(recipe: Recipe, components: ResolvedComponents): Plan {
  const first = [planStart(recipe, components), ...(recipe.install ?? []).map((step) => planInstall(step, recipe, components))]
  const configure = (recipe.configure ?? []).map((step) => planConfigure(step, components))
  return {
    version: 1,
    recipe: { name: recipe.name, digest: components.recipeDigest },
    architecture: recipe.architecture,
    firmware: recipe.firmware,
    tools: components.tools,
    steps: [
      ...first,
      ...planSnapshot(recipe, first, configure, components),
      ...configure,
      { kind: 'generalise' },
      { kind: 'image', image: recipe.image.name },
    ],
    proof: planProof(recipe),
  }
}

function planStart(recipe: Recipe, { from }: ResolvedComponents): Step {
  const disk = planDiskRule(recipe.disk)
  const diskSizeBytes = parseSize(recipe.disk.size)!
  if (recipe.from !== undefined) {
    if (from === undefined) throw new Error(`image ${recipe.from} was not resolved`)
    return { kind: 'start-from', disk, diskSizeBytes, ...from }
  }
  const layout = planLayout(recipe.name, diskSizeBytes, recipe.partitions ?? [])
  if ('expected' in layout) throw new Error(`recipe ${recipe.name} has no layout: expected ${layout.expected}, got ${layout.got}`)
  return { kind: 'partition', disk, ...layout }
}

/** Worth its time only between steps that take long and steps that change often. */
function planSnapshot(recipe: Recipe, first: readonly Step[], configure: readonly Step[], { snapshot, tools }: ResolvedComponents): Step[] {
  if (snapshot === undefined || first.length === 1 || configure.length === 0) return []
  return [{ kind: 'snapshot', image: recipe.image.name, tag: snapshotTag(first, { ...snapshot, tools: tools.digest }) }]
}

/** Generous even where every instruction of the guest is emulated: Debian is at its login prompt within 40 s there. */
const proofTimeoutSeconds = 900

function planProof({ proof = {}, firmware, check = [] }: Recipe): ProofPlan {
  if (proof === 'none') return 'none'
  return {
    firmware: proof.firmware ?? firmware,
    ...(proof.secureBoot === true ? { secureBoot: true as const } : {}),
    checks: check,
    timeoutSeconds: proof.timeoutSeconds ?? proofTimeoutSeconds,
  }
}

/** Which disk of a machine may be written to build a recipe. */
export function planDiskRule({ size, minSize, maxSize, ...identity }: Recipe['disk']): DiskRule {
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
