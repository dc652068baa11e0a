import { createReadStream } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { CommandError, type Run } from '../../appliance/run.ts'
import type { ComponentRef } from '../../images/component.ts'
import type { RecipeBase } from '../../images/recipe.ts'
import { IngotError } from '../errors.ts'
import { debianSources, publicMirror } from '../../images/debian-archive.ts'
import type { ComponentStore } from './component-store.ts'

/** How a root filesystem is kept: to be unpacked into partitions, or to be mounted as it is. */
export type RootfsFormat = 'tar.zst' | 'squashfs'

export interface RootfsBuild {
  base: RecipeBase
  format: RootfsFormat
  /** Base of the package archive, for example `http://127.0.0.1:8080/packages`, under which `debian` and `debian-security` lie. */
  packagesUrl: string
  /** Seconds since 1970 that files made by the build get, so that the same packages give the same bytes. */
  epochSeconds: number
  /** Where the root is unpacked while it is built, about 800 MB; default the system's folder for temporary files. */
  workDirectory?: string
  run: Run
  store: ComponentStore
  /** One line for people at a time, for example `installing remaining packages inside the chroot...`. */
  onProgress: (line: string) => void
}

/**
 * Makes a Debian root filesystem by mmdebstrap as a component, with the kernel and initrd that its packages bring. Needs root.
 * Throws an `IngotError` with code `component-build`.
 */
export async function buildRootfs(build: RootfsBuild): Promise<ComponentRef> {
  const { base, run, store } = build
  const folder = await mkdtemp(join(build.workDirectory ?? tmpdir(), 'ingot-rootfs-'))
  const tar = join(folder, 'rootfs.tar')
  try {
    await run('mmdebstrap', mmdebstrapArguments(build, tar), {
      env: { SOURCE_DATE_EPOCH: String(build.epochSeconds), TMPDIR: folder, DEBIAN_FRONTEND: 'noninteractive' },
      timeoutMs: 3_600_000,
      onLine: (line) => {
        const message = /^I: (.*)$/.exec(line)
        if (message !== null) build.onProgress(message[1]!)
      },
    })
    build.onProgress('compressing')
    const packed = join(folder, `rootfs.${build.format}`)
    await pack[build.format](tar, packed, build)
    return await store.add(`debian-${base.suite}.${build.format}`, createReadStream(packed))
  } catch (error) {
    if (!(error instanceof CommandError)) throw error
    throw new IngotError('component-build', `the root filesystem ${base.suite} could not be made: ${error.message}`, { cause: error, problems: error.lastLines })
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

const pack: Record<RootfsFormat, (tar: string, packed: string, build: RootfsBuild) => Promise<unknown>> = {
  // Level 10 takes 8 s on two cores and saves 14 % over level 3; every worker downloads it.
  'tar.zst': (tar, packed, { run }) => run('zstd', ['-q', '-T0', '-10', tar, '-o', packed]),
  squashfs: (tar, packed, { run, epochSeconds }) =>
    run('mksquashfs', ['-', packed, '-tar', '-comp', 'zstd', '-quiet', '-no-progress', '-mkfs-time', String(epochSeconds)], { input: createReadStream(tar) }),
}

function mmdebstrapArguments({ base, packagesUrl }: RootfsBuild, tar: string): string[] {
  return [
    '--mode=root',
    '--variant=minbase',
    '--architectures=amd64',
    '--format=tar',
    `--include=${base.packages.join(',')}`,
    '--aptopt=APT::Install-Recommends "false"',
    ...customizations(base.suite).map((command) => `--customize-hook=${command}`),
    base.suite,
    tar,
    ...debianSources(base.suite, packagesUrl),
  ]
}

/** Hooks are shell commands with the root as `$1`. Identities are taken away here too, so that no private key lies in a component that many machines unpack. */
const customizations = (suite: string): string[] => [
  'rm -f "$1"/etc/ssh/ssh_host_* "$1"/etc/hostname',
  // The rest of the build goes through our cache; the finished system asks the public mirror.
  `printf '%s\\n' ${debianSources(suite, publicMirror).map((line) => `'${line}'`).join(' ')} > "$1"/etc/apt/sources.list`,
]
