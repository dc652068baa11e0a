import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { Run } from '../run.ts'
import type { ComponentTree } from './component-tree.ts'

/** Installs the static busybox as `<directory>/busybox` with a link for each applet, but not over a program that is there already. */
export async function installBusybox(run: Run, packagesRoot: string, tree: ComponentTree, directory: string): Promise<void> {
  const busybox = join(packagesRoot, 'bin/busybox')
  const present = new Set<string>()
  for (const name of ['usr/bin', 'usr/sbin']) for (const program of await readdir(join(tree.root, name)).catch(() => [])) present.add(program)
  await tree.copy(busybox, join(directory, 'busybox'), 0o755)
  const applets = (await run(busybox, ['--list'])).split('\n').sort()
  for (const applet of applets) if (applet !== 'busybox' && !present.has(applet)) await tree.link('busybox', join(directory, applet))
}
