import { describe, expect, it } from 'vitest'
import { inNamespace, noNamespaces } from '../helpers/namespace.ts'
import type { BootInput, BootResult } from './netboot-scenario.ts'

const boot = async (path: BootInput['path'], routerAdvertisements = true) => {
  const { hops } = await inNamespace<BootResult>(
    new URL('netboot-scenario.ts', import.meta.url),
    { path, routerAdvertisements },
    { timeoutMs: 60_000 },
  )
  return hops.map((hop) => ('file' in hop && hop.file !== '' ? `${hop.hop} ${hop.file.split('?')[0]}` : hop.hop))
}
const dhcp = (file: string) => ['dhcp-discover', `dhcp-offer ${file}`, `dhcp-ack ${file}`]
const script = [...dhcp('http://10.77.0.1:8080/boot/ipxe'), 'boot-script']
// The kernel is none, so that the script comes to its retry.
const kernelTwice = ['kernel', 'kernel']

describe.skipIf(noNamespaces)('an empty machine comes to its boot script', { timeout: 60_000 }, () => {
  it('on BIOS, by the iPXE in its NIC', async () => expect(await boot('rom')).toEqual([...script, ...kernelTwice]))
  it('on BIOS, by our undionly.kpxe over TFTP', async () => {
    expect(await boot('undionly')).toEqual([...dhcp('http://10.77.0.1:8080/boot/ipxe'), 'tftp undionly.kpxe', ...script, ...kernelTwice])
  })
  it('on UEFI, by snponly.efi over TFTP', async () => {
    expect(await boot('uefi')).toEqual([...dhcp('snponly.efi'), 'tftp snponly.efi', ...script, ...kernelTwice])
  })
  it('on UEFI, by HTTP boot and no TFTP', async () => {
    expect(await boot('uefi-http')).toEqual([...dhcp('http://10.77.0.1:8080/boot/snponly.efi'), ...script, ...kernelTwice])
  })
})
