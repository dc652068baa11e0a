import { mkdtemp, readdir, rename, rm, stat, symlink } from 'node:fs/promises'
import { dirname, join, relative } from 'node:path'
import { IngotError } from '../../server/errors.ts'
import { currentLink, readAppliance, type Appliance } from './load-appliance.ts'

/*
 * The directory of appliances: `builds/<key>/` holds finished ones, `current` leads to the newest, `building-<pid>-…` is work under way.
 */

const workPrefix = 'building-'

/** Where the appliance with that key is or will be. */
export const buildDirectory = (directory: string, key: string): string => join(directory, 'builds', key.slice('sha256:'.length))

/** The appliance in `home` when it is there and whole. */
export async function findBuild(home: string): Promise<Appliance | undefined> {
  try {
    return await readAppliance(home, true)
  } catch (error) {
    if (!(error instanceof IngotError)) unlessMissing(error as NodeJS.ErrnoException)
    return undefined
  }
}

/** Makes an empty directory for a build, and removes those of builds that were killed: nothing else would. */
export async function makeWorkDirectory(directory: string): Promise<string> {
  for (const name of await readdir(directory)) {
    if (!name.startsWith(workPrefix)) continue
    const pid = Number(name.slice(workPrefix.length).split('-')[0])
    if (!isRunning(pid)) await rm(join(directory, name), { recursive: true, force: true })
  }
  return mkdtemp(join(directory, `${workPrefix}${process.pid}-`))
}

/** Gives a finished build its name; what had the name before goes where the build was made. */
export async function replaceBuild(home: string, finished: string): Promise<void> {
  await rename(home, join(dirname(finished), 'replaced')).catch(unlessMissing)
  await rename(finished, home)
}

/** Makes `current` lead to the build, in one step. */
export async function pointTo(directory: string, home: string): Promise<void> {
  const beside = join(directory, `${currentLink}.${process.pid}`)
  await rm(beside, { force: true })
  await symlink(relative(directory, home), beside)
  await rename(beside, join(directory, currentLink))
}

/** Keeps the newest other build, which a running server may still hand out. */
export async function removeOldBuilds(directory: string, home: string): Promise<void> {
  const others = []
  for (const name of await readdir(join(directory, 'builds'))) {
    const path = join(directory, 'builds', name)
    if (path !== home) others.push({ path, builtAt: (await stat(path)).mtimeMs })
  }
  others.sort((a, b) => b.builtAt - a.builtAt)
  for (const { path } of others.slice(1)) await rm(path, { recursive: true, force: true })
}

function unlessMissing(error: NodeJS.ErrnoException): void {
  if (error.code !== 'ENOENT') throw error
}

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}
