import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { debianSources } from '../../images/debian-archive.ts'
import { withChroot } from './chroot.ts'
import type { StepExecutor } from './context.ts'
import { parseOsRelease } from './parse-os-release.ts'

/** Lies in the installed system's `/run`, which exists only as long as the chroot: its own sources are never touched. */
const sourcesFile = '/run/ingot-sources.list'

const aptOptions = [
  `Dir::Etc::SourceList=${sourcesFile}`,
  'Dir::Etc::SourceParts=-',
  // A first computer without the outside network gives what it cached, which may be past its date; signatures are checked as ever.
  'Acquire::Check-Valid-Until=false',
  'APT::Install-Recommends=false',
  'Dpkg::Use-Pty=false',
  'DPkg::Options::=--force-confold',
].flatMap((option) => ['-o', option])

/** Installs Debian packages by apt in the installed system, from the first computer alone. */
export const installPackages: StepExecutor<'install-packages'> = async ({ packages }, context) => {
  const { root, packagesUrl } = context
  const suite = parseOsRelease(await readFile(join(root, 'etc/os-release'), 'utf8')).VERSION_CODENAME
  if (suite === undefined) throw new Error('expected VERSION_CODENAME in /etc/os-release of the installed system, got none')
  const onLine = (line: string) => {
    const done = /^(?:Get|Unpacking|Setting up|Processing triggers)\b.*/.exec(line)
    if (done !== null) context.progress({ detail: done[0].slice(0, 500) })
  }
  await withChroot(context, async (chroot) => {
    await writeFile(join(root, sourcesFile), `${debianSources(suite, packagesUrl).join('\n')}\n`)
    await chroot('apt-get', [...aptOptions, 'update'], { onLine })
    await chroot('apt-get', [...aptOptions, 'install', '--yes', ...packages], { onLine, timeoutMs: 3_600_000 })
  })
}
