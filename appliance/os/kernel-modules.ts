import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { ComponentTree } from './component-tree.ts'
import { parseKernelModule, type KernelModule } from './kernel-module.ts'
import { renderModuleIndex } from './render-module-index.ts'

/** Where the modules of a kernel lie below a root, for example `lib/modules/6.1.0-56-amd64`. */
export const modulesDirectory = (release: string): string => `lib/modules/${release}`

/** Reads all modules of an unpacked kernel package, sorted by path. */
export async function readKernelModules(packagesRoot: string, release: string): Promise<KernelModule[]> {
  const directory = join(packagesRoot, modulesDirectory(release))
  const files = (await readdir(directory, { recursive: true })).filter((file) => file.endsWith('.ko')).sort()
  const modules: KernelModule[] = []
  for (const file of files) modules.push(parseKernelModule(file, await readFile(join(directory, file))))
  return modules
}

/** Copies module files as they are: a changed byte would break Debian's signature, and with Secure Boot the kernel refuses them then. */
export async function installModules(packagesRoot: string, release: string, modules: readonly KernelModule[], tree: ComponentTree): Promise<void> {
  for (const { path } of modules) {
    const file = join(modulesDirectory(release), path)
    await tree.copy(join(packagesRoot, file), file, 0o644)
  }
}

/** Writes what modprobe reads. */
export async function installModuleIndex(release: string, modules: readonly KernelModule[], tree: ComponentTree, pathOf?: (module: KernelModule) => string): Promise<void> {
  const index = renderModuleIndex(modules, pathOf)
  for (const [name, text] of Object.entries(index)) await tree.write(join(modulesDirectory(release), name), text)
}
