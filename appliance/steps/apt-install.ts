import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { debianSources } from '../../images/debian-archive.ts'
import { CommandError } from '../run.ts'
import { withChroot } from './chroot.ts'
import type { StepContext } from './context.ts'
import { parseOsRelease } from './parse-os-release.ts'

/** Lies in the installed system's `/run`, which exists only as long as the chroot: its own sources are never touched. */
const sourcesFile = '/run/ingot-sources.list'

const aptOptions = [
  `Dir::Etc::SourceList=${sourcesFile}`,
  'Dir::Etc::SourceParts=-',
  // A first computer without the outside network gives what it cached, which may be past its date; signatures are checked as ever.
  'Acquire::Check-Valid-Until=false',
  // By itself apt-get update ends well when an index could not be fetched, and the package is then merely unknown.
  'APT::Update::Error-Mode=any',
  // By itself apt 2.6.1 waits before it asks again for what was answered with 502, and then often waits for ever (measured).
  'Acquire::Retries::Delay=false',
  'APT::Install-Recommends=false',
  'Dpkg::Use-Pty=false',
  'DPkg::Options::=--force-confold',
].flatMap((option) => ['-o', option])

/**
 * Installs Debian packages by apt in the installed system, from the first computer alone; what is installed already and has an update is
 * upgraded first when `upgrade` is set.
 */
export async function aptInstall(packages: readonly string[], context: StepContext, { upgrade = false } = {}): Promise<void> {
  const { root, packagesUrl } = context
  const suite = parseOsRelease(await readFile(join(root, 'etc/os-release'), 'utf8')).VERSION_CODENAME
  if (suite === undefined) throw new Error('expected VERSION_CODENAME in /etc/os-release of the installed system, got none')
  const onLine = (line: string) => {
    const done = /^(?:Get|Unpacking|Setting up|Processing triggers)\b.*/.exec(line)
    if (done !== null) context.progress({ detail: done[0].slice(0, 500) })
  }
  await withChroot(context, async (chroot) => {
    await writeFile(join(root, sourcesFile), `${debianSources(suite, packagesUrl).join('\n')}\n`)
    const apt = (...args: string[]) =>
      whileAway(context, () => chroot('apt-get', [...aptOptions, '--yes', ...args], { onLine, timeoutMs: 3_600_000 }))
    await apt('update')
    if (upgrade) await apt('dist-upgrade')
    await apt('install', ...packages)
  })
}

/** What apt says when the first computer was not there or went away, for example `E: Failed to fetch http://… Could not connect to 10.77.0.1:8080`. */
const awayPattern = /Could not connect to |Unable to connect to |Connection failed|Connection timed out|Error reading from server|Connection closed prematurely/
/** A first computer that answers us and not apt, so often in a row, is not away. */
const mostTries = 5

/**
 * Runs apt again when it failed because the first computer was away, once that is back. What apt fetched before is kept. Its own option
 * `Acquire::Retries` does not help: an address that refused a connection is not asked again by the same process (apt 2.6.1, measured).
 */
async function whileAway({ server, signal, log }: StepContext, act: () => Promise<unknown>): Promise<void> {
  for (let tries = 1; ; tries++) {
    try {
      await act()
      return
    } catch (error) {
      if (tries === mostTries || !(error instanceof CommandError) || !error.lastLines.some((line) => awayPattern.test(line))) throw error
      log.warn({ reason: error.message }, 'apt did not reach the first computer; it is run again once that answers')
      await server.answers(signal)
    }
  }
}
