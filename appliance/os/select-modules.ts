import { moduleName, type KernelModule } from './kernel-module.ts'

/**
 * Which modules a component carries. Each entry is a path below `kernel/`: a directory ends in `/` and stands for all in it, for example
 * `{ include: ['drivers/net/ethernet/', 'fs/squashfs/squashfs.ko'], exclude: ['drivers/net/ethernet/mellanox/mlxsw/'] }`.
 */
export interface ModuleList {
  include: readonly string[]
  /** Not taken as such, yet still carried when a module that is taken needs one of them. */
  exclude: readonly string[]
}

const lies = (path: string, entry: string): boolean => (entry.endsWith('/') ? path.startsWith(`kernel/${entry}`) : path === `kernel/${entry}`)

/**
 * The modules of the list with all that they need, sorted by path. Throws when an entry of the list fits no module (a new kernel moved or
 * dropped it), or when a needed module is not among `all`.
 */
export function selectModules(all: readonly KernelModule[], list: ModuleList): KernelModule[] {
  const unused = [...list.include, ...list.exclude].filter((entry) => !all.some(({ path }) => lies(path, entry)))
  if (unused.length > 0) throw new Error(`no kernel module fits ${unused.join(', ')}`)
  const seeds = all.filter(({ path }) => list.include.some((entry) => lies(path, entry)) && !list.exclude.some((entry) => lies(path, entry)))

  const find = indexModules(all)
  const taken = new Set<KernelModule>()
  const take = (module: KernelModule): void => {
    if (taken.has(module)) return
    taken.add(module)
    for (const name of module.depends) take(find.byName(name, module))
    for (const wish of module.softDepends) find.byNameOrAlias(wish).forEach(take)
  }
  seeds.forEach(take)
  return [...taken].sort((a, b) => (a.path < b.path ? -1 : 1))
}

/** The needed modules of `module`, nearest first, as `modules.dep` lists them. */
export function closureOf(module: KernelModule, all: readonly KernelModule[]): KernelModule[] {
  const find = indexModules(all)
  const closure = new Set<KernelModule>()
  const visit = ({ depends }: KernelModule, needing: KernelModule): void => {
    for (const name of depends) {
      const needed = find.byName(name, needing)
      // A module met again moves to the end: what it needs must be loaded before all that need it.
      closure.delete(needed)
      closure.add(needed)
      visit(needed, needed)
    }
  }
  visit(module, module)
  return [...closure]
}

function indexModules(all: readonly KernelModule[]) {
  const names = new Map(all.map((module) => [module.name, module]))
  const aliases = Map.groupBy(all.flatMap((module) => module.aliases.map((alias) => ({ alias, module }))), ({ alias }) => alias)
  return {
    byName(name: string, needing: KernelModule): KernelModule {
      const module = names.get(name)
      if (module === undefined) throw new Error(`kernel module ${needing.name} needs ${name}, which is not there`)
      return module
    },
    /** Soft dependencies may name what is built into the kernel, so nothing found is no error. */
    byNameOrAlias(name: string): KernelModule[] {
      const module = names.get(moduleName(name))
      return module === undefined ? (aliases.get(name) ?? []).map((entry) => entry.module) : [module]
    },
  }
}
