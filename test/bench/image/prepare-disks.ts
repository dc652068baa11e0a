import { access, mkdir, readFile, rename, rm } from 'node:fs/promises'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import type { Logger } from 'pino'
import type { Run } from '../../../appliance/run.ts'
import type { Step } from '../../../images/plan.ts'
import { parseRecipe } from '../../../images/parse-recipe.ts'
import { createComponentStore } from '../../../server/components/component-store.ts'
import { createEnsureRootfs } from '../../../server/components/ensure-rootfs.ts'
import { defaultMirrors } from '../../../server/config.ts'
import { createApp } from '../../../server/http/app.ts'
import { packageRoutes } from '../../../server/packages/package-routes.ts'
import type { BuildDiskTask } from './build-disk.ts'
import { scenarios, type Scenario } from './options.ts'

const recipeFile = join(import.meta.dirname, '../../../images/recipes/debian-12/recipe.yaml')
const builder = join(import.meta.dirname, 'build-disk.ts')

export interface PrepareDisksOptions {
  directory: string
  run: Run
  log: Logger
  onProgress: (line: string) => void
  signal: AbortSignal
}

/** Makes the disks of the benchmark, unless the ones that are there are of the same root filesystem. Needs root, and for the first time Debian's archive. */
export async function prepareDisks({ directory, run, log, onProgress, signal }: PrepareDisksOptions): Promise<Record<Scenario, string>> {
  const app = createApp({ log })
  await app.register(packageRoutes, { mirrors: defaultMirrors, cacheDirectory: join(directory, 'packages'), log })
  await app.listen({ host: '127.0.0.1', port: 0 })
  try {
    const packagesUrl = `http://127.0.0.1:${(app.server.address() as AddressInfo).port}/packages`
    const componentDirectory = join(directory, 'components')
    const store = createComponentStore(componentDirectory)
    const ensureRootfs = createEnsureRootfs({ directory: join(directory, 'rootfs'), packagesUrl, store, run, fetch })
    const { component: rootfs } = await ensureRootfs({ base: await readBase(), format: 'tar.zst' }, onProgress)

    const folder = join(directory, `disks-${rootfs.digest.slice(7, 19)}`)
    const paths = Object.fromEntries(scenarios.map((name) => [name, join(folder, `${name.replaceAll(' ', '-')}.raw`)])) as Record<Scenario, string>
    if (await access(folder).then(() => true, () => false)) return paths
    const beside = `${folder}.new`
    await rm(beside, { recursive: true, force: true })
    const root = join(beside, 'root')
    await mkdir(root, { recursive: true })
    const build = async (name: Scenario, task: Pick<BuildDiskTask, 'rootfs' | 'steps'>) => {
      const path = join(beside, paths[name].slice(folder.length + 1))
      if (task.rootfs === undefined) await run('cp', ['--sparse=always', join(beside, 'first-build.raw'), path])
      const whole: BuildDiskTask = { path, root, componentDirectory, packagesUrl, ...task }
      onProgress(`making the disk "${name}"`)
      await run('unshare', ['--mount', process.execPath, builder, JSON.stringify(whole)], { signal, onLine: (line) => onProgress(line), timeoutMs: 1_800_000 })
    }
    const motd = await store.add('motd', [Buffer.from('This file was changed by a configure step.\n')])
    const changed: Step = { kind: 'configure-file', component: motd, path: '/etc/motd', mode: '0644' }
    await build('first build', { rootfs, steps: [] })
    await build('one more package', { steps: [{ kind: 'install-packages', packages: ['nginx-light'] }] })
    await build('one file changed', { steps: [changed] })
    await rm(root, { recursive: true })
    await rename(beside, folder)
    return paths
  } finally {
    await app.close()
  }
}

async function readBase() {
  const { recipe } = parseRecipe(await readFile(recipeFile, 'utf8'))
  const base = recipe?.install?.find((step) => 'rootfs' in step)
  if (base === undefined || !('rootfs' in base)) throw new Error(`${recipeFile}: expected a step rootfs, got none`)
  return base.rootfs
}
