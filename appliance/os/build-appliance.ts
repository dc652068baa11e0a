import { mkdir, rm, stat, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import type { Logger } from 'pino'
import { IngotError } from '../../server/errors.ts'
import type { Run } from '../run.ts'
import { buildDirectory, findBuild, makeWorkDirectory, pointTo, removeOldBuilds, replaceBuild } from './builds.ts'
import { announceInventory, growInventory, growStage1, growStage2, growTools, type ComponentSources } from './components.ts'
import { openPackageArchive, type DebianPackage, type PackageArchive } from './debian-packages.ts'
import { readKernelModules } from './kernel-modules.ts'
import { manifestFile, readAppliance, type Appliance } from './load-appliance.ts'
import type { Manifest } from './manifest.ts'
import { kernelPackage, packageNames } from './package-lists.ts'
import { readInputs, type Inputs } from './read-inputs.ts'
import { writeSquashfs } from './squashfs.ts'
import { describeOutput, listContents, writeInitramfs, writeKernel } from './write-outputs.ts'

export interface BuildOptions {
  /** Where appliances and downloaded packages are kept, for example `.ingot/appliance`. */
  directory: string
  /** For example `http://deb.debian.org/debian`. */
  mirror: string
  /** For example `http://deb.debian.org/debian-security`. */
  securityMirror: string
  run: Run
  log: Logger
  /** Called at the start of each step, and with each line of a download as `detail`. */
  progress: (at: { step: string; detail?: string; done?: number; total?: number }) => void
  /** Builds even when nothing changed, and asks the mirror for new indexes even when those at hand are young. Default false. */
  force?: boolean
  signal: AbortSignal
  /** What becomes the worker; default `appliance/worker/main.ts`. */
  workerEntry?: string
}

const steps = ['packages', 'download', 'unpack', 'stage 1', 'inventory', 'stage 2', 'tools', 'check'] as const

/**
 * Builds kernel, initramfs (stage 1), stage 2, inventory and tools from Debian packages, the pinned Node and the worker; or, when an appliance of
 * exactly these inputs is there, returns that one. Equal inputs give equal bytes. Files appear under their name only when all are whole.
 * Throws `mirror-unreachable`, `host-lacks` or `appliance-build`.
 */
export async function buildAppliance(options: BuildOptions): Promise<Appliance> {
  const { run, log, signal, force = false } = options
  const directory = resolve(options.directory)
  const progress = (step: (typeof steps)[number], detail?: string): void =>
    options.progress({ step, done: steps.indexOf(step), total: steps.length, ...(detail !== undefined && { detail }) })
  await mkdir(join(directory, 'builds'), { recursive: true })

  progress('packages')
  const archive = await openPackageArchive({ ...options, directory: join(directory, 'debian') })
  await archive.refresh({ force })
  const kernelPackageName = await archive.firstDependency(kernelPackage)
  const packages = await archive.resolve([...packageNames, kernelPackageName])
  const inputs = await readInputs(run, packages, options.workerEntry)
  const home = buildDirectory(directory, inputs.key)
  if (!force) {
    const present = await findBuild(home)
    if (present !== undefined) {
      await pointTo(directory, home)
      return present
    }
  }

  const work = await makeWorkDirectory(directory)
  try {
    progress('download')
    await archive.download(packages, (line) => progress('download', line))
    progress('unpack')
    const packagesRoot = join(work, 'packages')
    await unpackPackages(archive, packages, packagesRoot, options)
    const kernelRelease = kernelPackageName.slice('linux-image-'.length)
    const outputs = await buildOutputs({ work, packagesRoot, kernelRelease, inputs, run, signal, progress })
    const manifest: Manifest = {
      version: 1,
      key: inputs.key,
      ingotVersion: inputs.ingotVersion,
      nodeVersion: inputs.node.version,
      kernelRelease,
      builtWith: inputs.builtWith,
      packages: packages.map(({ name, version, architecture, sha256 }) => ({ name, version, architecture, sha256 })),
      outputs,
    }
    await writeFile(join(work, 'out', manifestFile), `${JSON.stringify(manifest, undefined, 2)}\n`)
    await replaceBuild(home, join(work, 'out'))
  } catch (error) {
    if (error instanceof IngotError || signal.aborted) throw error
    throw new IngotError('appliance-build', `the appliance cannot be built: ${error instanceof Error ? error.message : String(error)}`, { cause: error })
  } finally {
    await rm(work, { recursive: true, force: true })
  }
  await pointTo(directory, home)
  await removeOldBuilds(directory, home)
  log.info({ key: inputs.key, directory: home }, 'appliance built')
  return readAppliance(home, false)
}

async function unpackPackages({ packagesDirectory }: PackageArchive, packages: readonly DebianPackage[], into: string, { run, signal }: BuildOptions): Promise<void> {
  await mkdir(into, { recursive: true })
  for (const { file } of packages) await run('dpkg-deb', ['--extract', join(packagesDirectory, file), into], { signal })
}

interface OutputsOptions {
  work: string
  packagesRoot: string
  kernelRelease: string
  inputs: Inputs
  run: Run
  signal: AbortSignal
  progress: (step: (typeof steps)[number]) => void
}

async function buildOutputs({ work, packagesRoot, kernelRelease, inputs, run, signal, progress }: OutputsOptions): Promise<Manifest['outputs']> {
  const out = join(work, 'out')
  await mkdir(out)
  const kernelModules = await readKernelModules(packagesRoot, kernelRelease)
  const { node, workerBundle } = inputs
  const sources: ComponentSources = { packagesRoot, kernelRelease, kernelModules, node, workerBundle, run, signal }
  const tree = { stage1: join(work, 'stage1'), stage2: join(work, 'stage2'), inventory: join(work, 'inventory'), tools: join(work, 'tools') }

  progress('stage 1')
  await growStage1(tree.stage1, sources)
  await writeInitramfs(tree.stage1, join(out, 'initramfs.img'))
  await writeKernel(packagesRoot, kernelRelease, join(out, 'vmlinuz'))
  progress('inventory')
  const stage2 = await growStage2(tree.stage2, sources)
  const inventory = await growInventory(tree.inventory, sources, stage2)
  await writeSquashfs(run, tree.inventory, join(out, 'inventory.squashfs'), signal)
  const inventoryOutput = await describeOutput(out, 'inventory.squashfs', await listContents(tree.inventory))
  progress('stage 2')
  await announceInventory(tree.stage2, sources, { ...inventory, sha512: inventoryOutput.sha512 })
  await writeSquashfs(run, tree.stage2, join(out, 'stage2.squashfs'), signal)
  progress('tools')
  await growTools(tree.tools, sources, { libraries: [...stage2.libraries, ...inventory.libraries], modules: inventory.modules })
  await writeSquashfs(run, tree.tools, join(out, 'tools.squashfs'), signal)

  progress('check')
  const kernelContents = [{ path: 'vmlinuz', sizeBytes: (await stat(join(out, 'vmlinuz'))).size }]
  return {
    kernel: await describeOutput(out, 'vmlinuz', kernelContents),
    initramfs: await describeOutput(out, 'initramfs.img', await listContents(tree.stage1)),
    stage2: await describeOutput(out, 'stage2.squashfs', await listContents(tree.stage2)),
    inventory: inventoryOutput,
    tools: await describeOutput(out, 'tools.squashfs', await listContents(tree.tools)),
  }
}
