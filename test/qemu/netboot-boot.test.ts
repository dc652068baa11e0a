import { describe, expect, it } from 'vitest'
import { noNamespaces } from '../helpers/namespace.ts'
import { boot, dhcp, invited, kernelTwice, proxied, script } from './boot-hops.ts'

describe.skipIf(noNamespaces)('an empty machine comes to its boot script', { timeout: 240_000 }, () => {
  it('on BIOS, by the iPXE in its NIC', async () => expect(await boot('rom')).toEqual([...script, ...kernelTwice]))
  it('on BIOS, by our undionly.kpxe over TFTP', async () => {
    expect(await boot('undionly')).toEqual([...dhcp('http://10.77.0.1:8080/boot/ipxe'), 'tftp undionly.kpxe', ...script, ...kernelTwice])
  })
  it('on UEFI, by snponly.efi over TFTP', async () => {
    expect(await boot('uefi')).toEqual([...dhcp('snponly.efi'), 'tftp snponly.efi', ...script, ...kernelTwice])
  })
  it('on UEFI, by HTTP boot and no TFTP', async () => {
    expect(await boot('uefi-http')).toEqual([...dhcp('http://10.77.0.1:8080/boot/snponly.efi'), 'http snponly.efi', ...script, ...kernelTwice])
  })
  it('on UEFI with Secure Boot, by the signed shim and GRUB over TFTP', async () => {
    expect(await boot('secure-boot')).toEqual([...dhcp('shimx64.efi'), ...['shimx64.efi', 'grubx64.efi', 'grub/grub.cfg', 'vmlinuz', 'vmlinuz'].map((file) => `tftp ${file}`)])
  })
  // Beside dnsmasq, which gives the addresses.
  it('on BIOS, in proxy mode, by the iPXE in its NIC (danderson/netboot #38)', async () => {
    expect(await boot('rom', 'proxy')).toEqual([...proxied('http://10.77.0.1:8080/boot/ipxe'), 'boot-script', ...kernelTwice])
  })
  it('on UEFI, in proxy mode, by port 4011', async () => {
    expect(await boot('uefi', 'proxy')).toEqual([...invited('snponly.efi'), 'tftp snponly.efi', ...proxied('http://10.77.0.1:8080/boot/ipxe'), 'boot-script', ...kernelTwice])
  })
})
