import { access, constants } from 'node:fs/promises'
import { delimiter, join } from 'node:path'
import type { ProofBoot } from '../api/proof.ts'
import { IngotError } from '../errors.ts'
import { uefiFiles } from '../rack/qemu-arguments.ts'

/** Programs that a proof runs, with the Debian package of each. */
const programs = {
  'qemu-system-x86_64': 'qemu-system-x86',
  'qemu-img': 'qemu-utils',
  'ssh-keygen': 'openssh-client',
  ssh: 'openssh-client',
  setpriv: 'util-linux',
} as const

const isThere = (path: string, mode: number): Promise<boolean> => access(path, mode).then(() => true, () => false)

async function isOnPath(program: string, path: string): Promise<boolean> {
  for (const folder of path.split(delimiter)) if (await isThere(join(folder, program), constants.X_OK)) return true
  return false
}

/** Throws `IngotError` 'host-lacks', naming what this host lacks to boot copies of images and how to get it. */
export async function requireProofNeeds(boots: readonly ProofBoot[], path = process.env.PATH ?? ''): Promise<void> {
  const missing = new Map<string, string>()
  for (const [program, debian] of Object.entries(programs)) if (!(await isOnPath(program, path))) missing.set(program, debian)
  for (const boot of boots.filter(({ firmware }) => firmware === 'uefi')) {
    for (const file of Object.values(uefiFiles(boot))) if (!(await isThere(file, constants.R_OK))) missing.set(file, 'ovmf')
  }
  if (missing.size === 0) return
  const packages = [...new Set(missing.values())].join(' ')
  throw new IngotError('host-lacks', `this host lacks ${[...missing.keys()].join(', ')}, which the proof needs: apt-get install --no-install-recommends ${packages}`)
}
