import { join } from 'node:path'
import type { ProofBoot } from '../api/proof.ts'

/** Short, for files and machines: `bios`, `uefi`, `uefi-secure-boot`. */
export const nameOfBoot = ({ firmware, secureBoot }: ProofBoot): string => (secureBoot ? `${firmware}-secure-boot` : firmware)

/** Where proofs keep what, below `proofs` in the data directory. */
export const proofPaths = (directory: string) => ({
  /** What the copies of a version said: `consoles/web-1/bios.console`. They stay. */
  consoles: (version: string) => join(directory, 'consoles', version),
  console: (version: string, boot: ProofBoot) => join(directory, 'consoles', version, `${nameOfBoot(boot)}.console`),
  /** The disks and keys of a proof, until it ends. */
  work: (job: string) => join(directory, 'work', job),
  allWork: join(directory, 'work'),
})
