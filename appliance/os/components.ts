import { access, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Run } from '../run.ts'
import { installBusybox } from './busybox.ts'
import { installLibraries, installProgram, libraryDirectory, openComponentTree, type ComponentTree } from './component-tree.ts'
import type { KernelModule } from './kernel-module.ts'
import { installModuleIndex, installModules, modulesDirectory } from './kernel-modules.ts'
import { jobModules, networkModules, storageModules } from './module-lists.ts'
import { inventoryPrograms, toolPrograms, unneededFirmware } from './package-lists.ts'
import { writeSmallNode } from './prepare-node.ts'
import { selectModules } from './select-modules.ts'

/** What the trees of the components are made from. */
export interface ComponentSources {
  /** All packages, unpacked over each other. */
  packagesRoot: string
  kernelRelease: string
  kernelModules: readonly KernelModule[]
  /** The Node to put in, and the major version of its ICU. */
  node: { file: string; icuVersion: string }
  workerBundle: ReadonlyMap<string, Buffer>
  run: Run
  signal: AbortSignal
}

const own = (name: string): Promise<Buffer> => readFile(join(import.meta.dirname, name))

/** The root of the initramfs: busybox, the drivers of network cards with their firmware, and the script that leads to stage 2. */
export async function growStage1(root: string, { packagesRoot, kernelRelease, kernelModules, run }: ComponentSources): Promise<void> {
  const tree = openComponentTree(root)
  const modules = selectModules(kernelModules, networkModules)
  await installBusybox(run, packagesRoot, tree, 'bin')
  await tree.link('bin', 'sbin')
  await installModules(packagesRoot, kernelRelease, modules, tree)
  await installModuleIndex(kernelRelease, modules, tree)
  await installFirmware(packagesRoot, modules, tree)
  await tree.write('init', await own('stage1/init'), 0o755)
  await tree.write('common.sh', await own('common.sh'))
  await tree.write('udhcpc', await own('udhcpc.sh'), 0o755)
  for (const directory of ['proc', 'sys', 'dev', 'run', 'root']) await tree.makeDirectory(directory)
}

/** What a component brings, so that those after it need not. */
export interface Brought {
  /** Names of libraries, for example `libc.so.6`. */
  libraries: readonly string[]
  modules: readonly KernelModule[]
}

/** Where stage 2 mounts the squashfs of that name, for example `/tools`. */
const mountedAt = (component: 'inventory' | 'tools', path: string): string => join('/', component, path)

/**
 * The root of the running appliance, with what a claim needs and no more. `/lib/x86_64-linux-gnu` leads into the tools: the C library looks there first
 * by itself (ld.so(8)), finds nothing until the tools are mounted, and then finds their libraries, with no cache and no environment variable that would
 * leak into a chroot.
 */
export async function growStage2(root: string, sources: ComponentSources): Promise<Brought> {
  const { packagesRoot, node, workerBundle, run, signal } = sources
  const tree = openComponentTree(root)

  await tree.makeDirectory('usr/bin')
  await writeSmallNode({ run, node: node.file, file: join(root, 'usr/bin/node'), icuVersion: node.icuVersion, signal })
  const libraries = await installLibraries(packagesRoot, tree)
  await installBusybox(run, packagesRoot, tree, 'usr/bin')

  await tree.link('usr/bin', 'bin')
  await tree.link('usr/sbin', 'sbin')
  // Where the kernel looks for it.
  await tree.link('../bin/busybox', 'usr/sbin/modprobe')
  await tree.link(join('/', libraryDirectory, 'ld-linux-x86-64.so.2'), 'lib64/ld-linux-x86-64.so.2')
  await tree.link(mountedAt('tools', libraryDirectory), 'lib/x86_64-linux-gnu')
  await tree.write('init', await own('stage2/init'), 0o755)
  await tree.write('usr/sbin/get-inventory', await own('stage2/get-inventory'), 0o755)
  await tree.write('common.sh', await own('common.sh'))
  await tree.write('usr/sbin/udhcpc-script', await own('udhcpc.sh'), 0o755)
  for (const [name, bytes] of workerBundle) await tree.write(join('worker', name), bytes)
  // So that all disks are there once their drivers are loaded: an inventory must not miss one (Documentation/admin-guide/kernel-parameters.txt).
  await tree.write('etc/modprobe.d/storage.conf', 'options scsi_mod scan=sync\n')
  await tree.write('etc/passwd', 'root:x:0:0:root:/root:/bin/sh\n')
  await tree.write('etc/group', 'root:x:0:\ntty:x:5:\ndisk:x:6:\n')
  await tree.write('etc/hosts', '127.0.0.1 localhost\n::1 localhost\n')
  await tree.link('/run/ingot/resolv.conf', 'etc/resolv.conf')
  await tree.link('/proc/self/mounts', 'etc/mtab')
  await tree.link('/tools/etc/mke2fs.conf', 'etc/mke2fs.conf')
  for (const directory of ['proc', 'sys', 'dev', 'run', 'root', 'target', 'tmp', 'inventory', 'tools', 'var']) await tree.makeDirectory(directory)
  return { libraries, modules: [] }
}

/** What stage 2 mounts at `/inventory` once its worker has claimed a job, or found none: drivers of disks, the programs that the inventory asks, and their libraries. */
export async function growInventory(root: string, sources: ComponentSources, stage2: Brought): Promise<Brought> {
  const { packagesRoot, kernelRelease, kernelModules } = sources
  const tree = openComponentTree(root)
  for (const program of inventoryPrograms) await installProgram(packagesRoot, program, tree)
  const libraries = await installLibraries(packagesRoot, tree, new Set(stage2.libraries))
  const modules = selectModules(kernelModules, storageModules)
  await installModules(packagesRoot, kernelRelease, modules, tree)
  return { libraries, modules }
}

/**
 * What of the inventory stage 2 has to know beforehand: its digest, and where its libraries, its modules and those of the tools will be. So the loader and
 * modprobe find them by themselves once they are mounted.
 */
export async function announceInventory(root: string, { kernelRelease, kernelModules }: ComponentSources, { sha512, libraries, modules }: Brought & { sha512: string }): Promise<void> {
  const tree = openComponentTree(root)
  await tree.write('inventory.sha512', `sha512:${sha512}\n`)
  for (const name of libraries) await tree.link(mountedAt('inventory', join(libraryDirectory, name)), join(libraryDirectory, name))
  const toolModules = selectModules(kernelModules, jobModules).filter((module) => !modules.includes(module))
  const placeOf = (module: KernelModule): string => mountedAt(modules.includes(module) ? 'inventory' : 'tools', join(modulesDirectory(kernelRelease), module.path))
  await installModuleIndex(kernelRelease, [...modules, ...toolModules], tree, placeOf)
}

/** What a job mounts at `/tools`: programs, the libraries that the others lack, drivers of filesystems. */
export async function growTools(root: string, sources: ComponentSources, present: Brought): Promise<void> {
  const { packagesRoot, kernelRelease, kernelModules } = sources
  const tree = openComponentTree(root)
  for (const program of toolPrograms) await installProgram(packagesRoot, program, tree)
  await installLibraries(packagesRoot, tree, new Set(present.libraries))
  await tree.copy(join(packagesRoot, 'etc/mke2fs.conf'), 'etc/mke2fs.conf', 0o644)
  const modules = selectModules(kernelModules, jobModules).filter((module) => !present.modules.includes(module))
  await installModules(packagesRoot, kernelRelease, modules, tree)
}

/** The firmware that the modules name, as far as the packages hold it. */
async function installFirmware(packagesRoot: string, modules: readonly KernelModule[], tree: ComponentTree): Promise<void> {
  const names = new Set(modules.flatMap(({ firmware }) => firmware).filter((name) => !unneededFirmware.test(name)))
  for (const name of names) {
    const file = join('lib/firmware', name)
    const isThere = await access(join(packagesRoot, file)).then(() => true, () => false)
    if (isThere) await tree.copy(join(packagesRoot, file), file, 0o644)
  }
}
