import { access, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Logger } from 'pino'
import { openPackageArchive } from '../../../appliance/os/debian-packages.ts'
import type { Run } from '../../../appliance/run.ts'
import { defaultMirrors } from '../../../server/config.ts'

/** Debian's own network installer, as its package has it. */
export interface Installer {
  /** Version of the package, for example `20230607+deb12u15`. */
  version: string
  kernelPath: string
  initrdPath: string
}

const packageName = 'debian-installer-12-netboot-amd64'
const imagesFolder = 'usr/lib/debian-installer/images/12/amd64/text/debian-installer/amd64'

export interface PrepareInstallerOptions {
  /** Where the package and what was unpacked of it are kept. */
  directory: string
  run: Run
  log: Logger
  onProgress: (line: string) => void
  signal: AbortSignal
}

/** Fetches the newest installer of Debian 12 and unpacks it, unless it is there already. Throws 'mirror-unreachable' when it is not to be had. */
export async function prepareInstaller({ directory, run, log, onProgress, signal }: PrepareInstallerOptions): Promise<Installer> {
  const { debian: mirror, 'debian-security': securityMirror } = defaultMirrors
  const archive = await openPackageArchive({ directory: join(directory, 'debian'), mirror, securityMirror, run, log, signal })
  await archive.refresh({ force: false })
  const [found] = await archive.resolve([packageName])
  const { version, file } = found!
  const unpacked = join(directory, `debian-installer-${version}`)
  if (!(await access(unpacked).then(() => true, () => false))) {
    onProgress(`fetching ${file}`)
    await archive.download([found!], onProgress)
    const beside = `${unpacked}.new`
    await rm(beside, { recursive: true, force: true })
    await run('dpkg-deb', ['--extract', join(archive.packagesDirectory, file), beside], { signal })
    await rename(beside, unpacked)
  }
  return { version, kernelPath: join(unpacked, imagesFolder, 'linux'), initrdPath: join(unpacked, imagesFolder, 'initrd.gz') }
}
