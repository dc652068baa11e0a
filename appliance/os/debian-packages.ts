import { access, mkdir, readFile, stat, writeFile } from 'node:fs/promises'
import { createHash } from 'node:crypto'
import { join } from 'node:path'
import type { Logger } from 'pino'
import { IngotError } from '../../server/errors.ts'
import type { Run } from '../run.ts'

/** A package as the signed index of the archive describes it, for example `busybox-static` `1:1.35.0-4+deb12u1`. */
export interface DebianPackage {
  name: string
  version: string
  architecture: string
  sha256: string
  /** Name of its file in the cache. */
  file: string
}

export interface PackageArchiveOptions {
  /** Where the private apt keeps its configuration, indexes and packages. */
  directory: string
  /** For example `http://deb.debian.org/debian`. */
  mirror: string
  /** For example `http://deb.debian.org/debian-security`. */
  securityMirror: string
  run: Run
  log: Logger
  signal: AbortSignal
}

/** A Debian archive read by an apt of its own: the apt configuration and state of this host are neither read nor changed. */
export interface PackageArchive {
  /** Directory of the downloaded `.deb` files. */
  readonly packagesDirectory: string
  /** Fetches the indexes unless they are younger than a day. With old indexes and no mirror it goes on with the old ones and says so. */
  refresh(options: { force: boolean }): Promise<void>
  /** The newest version of each package, sorted by name. Throws `appliance-build` when the archive lacks one. */
  resolve(names: readonly string[]): Promise<DebianPackage[]>
  /** The first package that `name` depends on, for example `linux-image-6.1.0-56-amd64` for `linux-image-amd64`. */
  firstDependency(name: string): Promise<string>
  /** Downloads what is not there yet and checks the sha256 of all. `onLine` gets the lines of apt. */
  download(packages: readonly DebianPackage[], onLine: (line: string) => void): Promise<void>
}

const indexAgeMs = 24 * 3600 * 1000
const keyring = '/usr/share/keyrings/debian-archive-keyring.gpg'

/** Prepares the private apt below `directory`. */
export async function openPackageArchive({ directory, mirror, securityMirror, run, log, signal }: PackageArchiveOptions): Promise<PackageArchive> {
  const configFile = join(directory, 'apt.conf')
  const packagesDirectory = join(directory, 'packages')
  const stamp = join(directory, 'refreshed')
  for (const path of ['etc/preferences.d', 'state/lists/partial', 'cache/archives/partial', 'packages']) await mkdir(join(directory, path), { recursive: true })
  await writeFile(configFile, renderAptConfig(directory))
  await writeFile(join(directory, 'etc/sources.list'), renderSources(mirror, securityMirror))
  await writeFile(join(directory, 'state/status'), '')
  const apt = (program: string, args: string[], { cwd = directory, onLine }: { cwd?: string; onLine?: (line: string) => void } = {}): Promise<string> =>
    run(program, args, { cwd, env: { APT_CONFIG: configFile }, signal, ...(onLine && { onLine }) })

  return {
    packagesDirectory,

    async refresh({ force }) {
      const sources = `${mirror} ${securityMirror}`
      const last = await readStamp(stamp)
      if (!force && last?.sources === sources && Date.now() - last.at < indexAgeMs) return
      try {
        await apt('apt-get', ['-o', 'APT::Update::Error-Mode=any', 'update'])
        await writeFile(stamp, sources)
      } catch (error) {
        if (signal.aborted || last?.sources !== sources) {
          throw new IngotError('mirror-unreachable', `the package indexes of ${sources} cannot be fetched`, { cause: error })
        }
        log.warn({ err: error, indexesFrom: new Date(last.at).toISOString() }, 'package mirror unreachable, going on with the indexes at hand')
      }
    },

    async resolve(names) {
      // Not in the directory of the packages: apt names no address for what lies in the current directory already.
      const output = await apt('apt-get', ['download', '--print-uris', ...names]).catch((error: unknown) => {
        throw new IngotError('appliance-build', `the archive ${mirror} lacks a package of the appliance: ${String(error)}`, { cause: error })
      })
      const packages = parsePrintedUris(output)
      const missing = names.filter((name) => !packages.some((candidate) => candidate.name === name))
      if (missing.length > 0) throw new IngotError('appliance-build', `apt names no address for ${missing.join(', ')}`)
      return packages.sort((a, b) => (a.name < b.name ? -1 : 1))
    },

    async firstDependency(name) {
      const fields = await apt('apt-cache', ['show', '--no-all-versions', name])
      const dependency = /^Depends: (\S+)/m.exec(fields)?.[1]
      if (dependency === undefined) throw new IngotError('appliance-build', `${name} in the archive ${mirror} depends on nothing`)
      return dependency
    },

    async download(packages, onLine) {
      const missing = []
      for (const wanted of packages) if (!(await exists(join(packagesDirectory, wanted.file)))) missing.push(wanted)
      if (missing.length > 0) {
        await apt('apt-get', ['download', ...missing.map(({ name, version }) => `${name}=${version}`)], { cwd: packagesDirectory, onLine }).catch((error: unknown) => {
          throw new IngotError('mirror-unreachable', `packages of the appliance cannot be fetched from ${mirror}`, { cause: error })
        })
      }
      for (const { file, sha256 } of packages) {
        const got = createHash('sha256').update(await readFile(join(packagesDirectory, file))).digest('hex')
        if (got !== sha256) throw new IngotError('appliance-build', `${join(packagesDirectory, file)}: expected sha256 ${sha256}, got ${got}; remove the file`)
      }
    },
  }
}

/** Parses the output of `apt-get download --print-uris`: lines of `'URI' FILE SIZE SHA256:HEX`. Source: apt-get(8). */
export function parsePrintedUris(output: string): DebianPackage[] {
  return [...output.matchAll(/^'[^']+' (\S+)_(\S+)_(\S+)\.deb \d+ SHA256:([0-9a-f]{64})$/gm)].map(([, name, version, architecture, sha256]) => ({
    name: name!,
    version: decodeURIComponent(version!),
    architecture: architecture!,
    sha256: sha256!,
    file: `${name}_${version}_${architecture}.deb`,
  }))
}

const renderSources = (mirror: string, securityMirror: string): string =>
  [`${mirror} bookworm`, `${mirror} bookworm-updates`, `${securityMirror} bookworm-security`]
    .map((source) => `deb [signed-by=${keyring}] ${source} main non-free-firmware\n`)
    .join('')

/** Everything apt reads or writes lies below `directory`; with `Dir` set, the files of /etc/apt are not read. Source: apt.conf(5). */
const renderAptConfig = (directory: string): string => `Dir "${directory}";
Dir::Etc "${directory}/etc";
Dir::State "${directory}/state";
Dir::State::status "${directory}/state/status";
Dir::Cache "${directory}/cache";
APT::Architecture "amd64";
APT::Architectures { "amd64"; };
APT::Sandbox::User "root";
Acquire::Languages "none";
Acquire::Retries "3";
`

const exists = (path: string): Promise<boolean> => access(path).then(() => true, () => false)

async function readStamp(path: string): Promise<{ sources: string; at: number } | undefined> {
  try {
    return { sources: await readFile(path, 'utf8'), at: (await stat(path)).mtimeMs }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}
