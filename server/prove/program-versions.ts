import type { Run } from '../../appliance/run.ts'
import type { ProofBoot } from '../api/proof.ts'

/** Versions of what a proof ran on, for its record; of what does not tell its version nothing. */
export async function programVersions(boots: readonly ProofBoot[], run: Run): Promise<Record<string, string>> {
  const qemu = /version (\S+)/.exec(await run('qemu-system-x86_64', ['--version']))?.[1]
  // OVMF does not tell its version itself; Debian's package does, where it came from there.
  const isUefi = boots.some(({ firmware }) => firmware === 'uefi')
  const ovmf = isUefi ? await run('dpkg-query', ['--show', '--showformat=${Version}', 'ovmf']).catch(() => '') : ''
  return { ...(qemu === undefined ? {} : { qemu }), ...(ovmf === '' ? {} : { ovmf }) }
}
