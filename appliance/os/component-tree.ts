import { chmod, copyFile, lstat, mkdir, readdir, readFile, readlink, realpath, symlink, writeFile } from 'node:fs/promises'
import { basename, dirname, join, relative } from 'node:path'
import { readNeededLibraries } from './elf.ts'

/**
 * The tree of a component while it grows. Programs and libraries go below `usr/` only, wherever their package has them, so that stage 2
 * and tools have one directory of each kind.
 */
export interface ComponentTree {
  readonly root: string
  /** Writes a file of ours, for example `await tree.write('etc/hosts', '127.0.0.1 localhost\n')`. */
  write(path: string, content: string | Buffer, mode?: number): Promise<void>
  copy(from: string, path: string, mode?: number): Promise<void>
  link(target: string, path: string): Promise<void>
  makeDirectory(path: string): Promise<void>
}

export const libraryDirectory = 'usr/lib/x86_64-linux-gnu'
const elfMagic = 0x7f454c46

export function openComponentTree(root: string): ComponentTree {
  const prepare = async (path: string): Promise<string> => {
    const file = join(root, path)
    await mkdir(dirname(file), { recursive: true })
    return file
  }
  return {
    root,
    async write(path, content, mode = 0o644) {
      const file = await prepare(path)
      await writeFile(file, content)
      await chmod(file, mode)
    },
    async copy(from, path, mode) {
      const file = await prepare(path)
      await copyFile(from, file)
      if (mode !== undefined) await chmod(file, mode)
    },
    async link(target, path) {
      await symlink(target, await prepare(path))
    },
    async makeDirectory(path) {
      await mkdir(join(root, path), { recursive: true })
    },
  }
}

/**
 * Copies a program of the unpacked packages, for example `sbin/mkfs.ext4`, which becomes `usr/sbin/mkfs.ext4`. A symbolic link stays one,
 * and its target comes along. Throws when the packages do not hold it.
 */
export async function installProgram(packagesRoot: string, path: string, tree: ComponentTree): Promise<void> {
  const source = join(packagesRoot, path)
  const target = join('usr', path.replace(/^usr\//, ''))
  const stats = await lstat(source)
  if (!stats.isSymbolicLink()) return tree.copy(source, target, 0o755)
  const real = await realpath(source)
  const name = basename(real)
  if (dirname(real) !== dirname(source)) throw new Error(`${path} links to ${await readlink(source)}, outside of its directory`)
  await tree.link(name, target)
  if (!(await readdir(dirname(join(tree.root, target)))).includes(name)) await tree.copy(real, join(dirname(target), name), 0o755)
}

/**
 * Copies all libraries that the programs of the tree need, and those need in turn, from the unpacked packages; but not those of `present`,
 * the names that the system has already. Returns the names it copied, for example `['libc.so.6']`. Throws, naming program and library, when no package holds one.
 */
export async function installLibraries(packagesRoot: string, tree: ComponentTree, present: ReadonlySet<string> = new Set()): Promise<string[]> {
  const installed = new Set<string>()
  const install = async (file: string, bytes: Buffer): Promise<void> => {
    for (const name of readNeededLibraries(bytes)) {
      if (present.has(name) || installed.has(name)) continue
      const source = await findLibrary(packagesRoot, name)
      if (source === undefined) throw new Error(`${relative(tree.root, file)} needs ${name}, which no package of the appliance holds`)
      installed.add(name)
      await tree.copy(source, join(libraryDirectory, name), name.startsWith('ld-') ? 0o755 : 0o644)
      await install(source, await readFile(source))
    }
  }
  for (const directory of ['usr/bin', 'usr/sbin']) {
    for (const name of (await readdir(join(tree.root, directory)).catch(() => [])).sort()) {
      const file = join(tree.root, directory, name)
      if ((await lstat(file)).isSymbolicLink()) continue
      const bytes = await readFile(file)
      if (bytes.length > 4 && bytes.readUInt32BE(0) === elfMagic) await install(file, bytes)
    }
  }
  return [...installed].sort()
}

async function findLibrary(packagesRoot: string, name: string): Promise<string | undefined> {
  for (const directory of ['lib/x86_64-linux-gnu', libraryDirectory]) {
    const file = join(packagesRoot, directory, name)
    try {
      return await realpath(file)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    }
  }
  return undefined
}
