import { readlink } from 'node:fs/promises'
import { isAbsolute, join } from 'node:path'

/** As many as Linux follows (path_resolution(7)). */
const mostLinks = 40

/**
 * The path outside that a program chrooted to `root` means by `path`: an absolute link, such as `/var/run` → `/run`, stays inside `root`.
 * What does not exist yet is taken as it is. Throws when links go in a circle.
 */
export async function resolveInRoot(root: string, path: string): Promise<string> {
  const waiting = path.split('/')
  const resolved: string[] = []
  let links = 0
  for (let part = waiting.shift(); part !== undefined; part = waiting.shift()) {
    if (part === '' || part === '.') continue
    if (part === '..') {
      resolved.pop()
      continue
    }
    const target = await linkTarget(join(root, ...resolved, part))
    if (target === undefined) resolved.push(part)
    else {
      if (++links > mostLinks) throw new Error(`${path} in the installed system: expected a path, got symbolic links in a circle`)
      if (isAbsolute(target)) resolved.length = 0
      waiting.unshift(...target.split('/'))
    }
  }
  return join(root, ...resolved)
}

/** Where a symbolic link leads, undefined for anything else. */
async function linkTarget(path: string): Promise<string | undefined> {
  try {
    return await readlink(path)
  } catch (error) {
    if (['EINVAL', 'ENOENT'].includes((error as NodeJS.ErrnoException).code ?? '')) return undefined
    throw error
  }
}
