import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { debianSources } from '../../images/debian-archive.ts'
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
    const apt = (...args: string[]) => chroot('apt-get', [...aptOptions, '--yes', ...args], { onLine, timeoutMs: 3_600_000 })
    await apt('update')
    if (upgrade) await apt('dist-upgrade')
    await apt('install', ...packages)
  })
}
