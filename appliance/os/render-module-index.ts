import type { KernelModule } from './kernel-module.ts'
import { closureOf } from './select-modules.ts'

/**
 * The files that busybox modprobe reads in `/lib/modules/<release>/`: `modules.dep` and `modules.alias` (it knows no soft dependencies).
 * `pathOf` says where a module's file is, relative to that directory or absolute. Source: modules.dep(5), depmod(8).
 */
export function renderModuleIndex(modules: readonly KernelModule[], pathOf: (module: KernelModule) => string = ({ path }) => path): Record<string, string> {
  const lines = (render: (module: KernelModule) => string[]): string => modules.flatMap(render).map((line) => `${line}\n`).join('')
  return {
    'modules.dep': lines((module) => [[`${pathOf(module)}:`, ...closureOf(module, modules).map(pathOf)].join(' ')]),
    'modules.alias': lines((module) => module.aliases.map((alias) => `alias ${alias} ${module.name}`)),
  }
}
