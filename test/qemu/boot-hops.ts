import { inNamespace } from '../helpers/namespace.ts'
import type { BootInput, BootResult } from './netboot-scenario.ts'

/** Boots a machine in a network of its own and returns its hops, each with the file that it names, for example `tftp snponly.efi`. */
export const boot = async (path: BootInput['path'], mode: BootInput['mode'] = 'dhcp', more: Pick<BootInput, 'asksBeforeAdmission' | 'nic' | 'cable'> = {}) => {
  const { hops } = await inNamespace<BootResult>(
    new URL('netboot-scenario.ts', import.meta.url),
    { path, mode, routerAdvertisements: true, ...more },
    { timeoutMs: 240_000 },
  )
  // EDK2 asks for each file twice, first for its size.
  const told = hops.filter(({ hop }) => hop !== 'tftp-asked')
  return told.map((hop) => ('file' in hop && hop.file !== '' ? `${hop.hop} ${hop.file.split('?')[0]}` : hop.hop))
}
/** What a machine hears that is given an address and this to boot. */
export const dhcp = (file: string) => ['dhcp-discover', `dhcp-offer ${file}`, `dhcp-ack ${file}`]
/** What it hears from a proxy, directly or by port 4011. */
export const proxied = (file: string) => ['dhcp-discover', `dhcp-offer ${file}`, 'dhcp-elsewhere']
export const invited = (file: string) => ['dhcp-discover', 'dhcp-offer', 'dhcp-elsewhere', `dhcp-ack ${file}`]
export const script = [...dhcp('http://10.77.0.1:8080/boot/ipxe'), 'boot-script']
// The kernel is none, so that the script comes to its retry.
export const kernelTwice = ['kernel', 'kernel']
