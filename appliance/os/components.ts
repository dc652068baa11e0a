import { access, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Run } from '../run.ts'
import { installBusybox } from './busybox.ts'
import { installLibraries, installProgram, libraryDirectory, openComponentTree, type ComponentTree } from './component-tree.ts'
import type { KernelModule } from './kernel-module.ts'
import { installModuleIndex, installModules, modulesDirectory } from './kernel-modules.ts'
import { jobModules, networkModules, storageModules } from './module-lists.ts'
import { stage2Programs, toolPrograms, unneededFirmware } from './package-lists.ts'
import { writeSmallNode } from './prepare-node.ts'
import { selectModules } from './select-modules.ts'

/** What the trees of the three components are made from. */
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

/**
 * The root of the running appliance. `/lib/x86_64-linux-gnu` leads into the tools: the C library looks there first by itself (ld.so(8)), finds nothing
 * until the tools are mounted, and then finds their libraries, with no cache and no environment variable that would leak into a chroot.
 */
export async function growStage2(root: string, sources: ComponentSources): Promise<{ libraries: string[]; modules: KernelModule[] }> {
  const { packagesRoot, kernelRelease, kernelModules, node, workerBundle, run, signal } = sources
  const tree = openComponentTree(root)
  const modules = selectModules(kernelModules, storageModules)
  const toolModules = selectModules(kernelModules, jobModules).filter((module) => !modules.includes(module))

  for (const program of stage2Programs) await installProgram(packagesRoot, program, tree)
  await tree.makeDirectory('usr/bin')
  await writeSmallNode({ run, node: node.file, file: join(root, 'usr/bin/node'), icuVersion: node.icuVersion, signal })
  const libraries = await installLibraries(packagesRoot, tree)
  await installBusybox(run, packagesRoot, tree, 'usr/bin')
  await installModules(packagesRoot, kernelRelease, modules, tree)
  const inTools = (module: KernelModule): string => (modules.includes(module) ? module.path : join('/tools', modulesDirectory(kernelRelease), module.path))
  await installModuleIndex(kernelRelease, [...modules, ...toolModules], tree, inTools)

  await tree.link('usr/bin', 'bin')
  await tree.link('usr/sbin', 'sbin')
  // Where the kernel looks for it.
  await tree.link('../bin/busybox', 'usr/sbin/modprobe')
  await tree.link(join('/', libraryDirectory, 'ld-linux-x86-64.so.2'), 'lib64/ld-linux-x86-64.so.2')
  await tree.link(join('/tools', libraryDirectory), 'lib/x86_64-linux-gnu')
  await tree.write('init', await own('stage2/init'), 0o755)
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
  for (const directory of ['proc', 'sys', 'dev', 'run', 'root', 'target', 'tmp', 'tools', 'var']) await tree.makeDirectory(directory)
  return { libraries, modules }
}

/** What a job mounts at `/tools`: programs, the libraries that stage 2 lacks, drivers of filesystems. */
export async function growTools(root: string, sources: ComponentSources, stage2: { libraries: readonly string[]; modules: readonly KernelModule[] }): Promise<void> {
  const { packagesRoot, kernelRelease, kernelModules } = sources
  const tree = openComponentTree(root)
  for (const program of toolPrograms) await installProgram(packagesRoot, program, tree)
  await installLibraries(packagesRoot, tree, new Set(stage2.libraries))
  await tree.copy(join(packagesRoot, 'etc/mke2fs.conf'), 'etc/mke2fs.conf', 0o644)
  const modules = selectModules(kernelModules, jobModules).filter((module) => !stage2.modules.includes(module))
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
