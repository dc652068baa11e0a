import type { Stats } from 'node:fs'
import { lstat, readdir } from 'node:fs/promises'
import { join } from 'node:path'

/** Everything in a directory tree, parents first and sorted by name; links are not followed. Paths are relative to `root`. */
export async function* walkTree(root: string, below = ''): AsyncGenerator<{ path: string; stats: Stats }> {
  for (const name of (await readdir(join(root, below))).sort()) {
    const path = join(below, name)
    const stats = await lstat(join(root, path))
    yield { path, stats }
    if (stats.isDirectory()) yield* walkTree(root, path)
  }
}
