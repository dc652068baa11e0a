import { readFile, realpath, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { Value } from 'typebox/value'
import { IngotError } from '../../server/errors.ts'
import { manifestSchema, type Manifest } from './manifest.ts'

/** A built appliance: what machines boot and what their jobs mount. */
export interface Appliance {
  /** Where its files are; stays whole while a newer appliance is built. */
  directory: string
  manifest: Manifest
  kernelPath: string
  initramfsPath: string
  stage2Path: string
  /** For `ingot.stage2=` on the kernel command line: `sha512:<hex>`. */
  stage2Digest: string
  /** Stage 2 knows its digest. */
  inventoryPath: string
  toolsPath: string
  toolsDigest: string
  toolsSizeBytes: number
  /** Whether it was there already and nothing had to be built. */
  reused: boolean
}

/** The newest appliance of a directory is where this link leads. */
export const currentLink = 'current'
export const manifestFile = 'manifest.json'

/**
 * Loads the newest appliance of `directory`, as `buildAppliance` left it there, for example `.ingot/appliance`.
 * Throws `appliance-build` when there is none, or when one of its files is missing or has another size than its manifest says.
 */
export async function loadAppliance(directory: string): Promise<Appliance> {
  const home = await realpath(join(directory, currentLink)).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error
    throw new IngotError('appliance-build', `no appliance in ${directory}; build it with \`ingot appliance build\``)
  })
  return readAppliance(home, true)
}

/** Reads and checks the appliance whose files are in `home`. */
export async function readAppliance(home: string, reused: boolean): Promise<Appliance> {
  const manifest: unknown = JSON.parse(await readFile(join(home, manifestFile), 'utf8'))
  if (!Value.Check(manifestSchema, manifest)) throw new IngotError('appliance-build', `${join(home, manifestFile)} is no manifest of this version of Ingot; build the appliance anew`)
  const { kernel, initramfs, stage2, inventory, tools } = manifest.outputs
  for (const { file, sizeBytes } of [kernel, initramfs, stage2, inventory, tools]) {
    const got = await stat(join(home, file)).then(({ size }) => `${size} bytes`, (error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return 'no such file'
      throw error
    })
    if (got !== `${sizeBytes} bytes`) throw new IngotError('appliance-build', `${join(home, file)}: expected ${sizeBytes} bytes, got ${got}; build the appliance anew`)
  }
  return {
    directory: home,
    manifest,
    kernelPath: join(home, kernel.file),
    initramfsPath: join(home, initramfs.file),
    stage2Path: join(home, stage2.file),
    stage2Digest: `sha512:${stage2.sha512}`,
    inventoryPath: join(home, inventory.file),
    toolsPath: join(home, tools.file),
    toolsDigest: tools.digest,
    toolsSizeBytes: tools.sizeBytes,
    reused,
  }
}
