import { describe, expect, it } from 'vitest'
import { noNamespaces } from '../helpers/namespace.ts'
import { boot, dhcp, kernelTwice, proxied } from './boot-hops.ts'

const script = [...proxied('http://10.77.0.1:8080/boot/ipxe'), 'boot-script', ...kernelTwice]

describe.skipIf(noNamespaces)('beside dnsmasq, which gives the addresses, an empty machine comes to its boot script', { timeout: 240_000 }, () => {
  it('on BIOS, by our undionly.kpxe over TFTP', async () => {
    expect(await boot('undionly', 'proxy')).toEqual([...proxied('http://10.77.0.1:8080/boot/ipxe'), 'tftp undionly.kpxe', ...script])
  })
  it('on UEFI, by HTTP boot and no TFTP', async () => {
    expect(await boot('uefi-http', 'proxy')).toEqual([...proxied('http://10.77.0.1:8080/boot/snponly.efi'), 'http snponly.efi', ...script])
  })
})

describe.skipIf(noNamespaces)('a machine that is not admitted', { timeout: 240_000 }, () => {
  it('asks again by itself until it is, and boots the worker then', async () => {
    const hops = await boot('rom', 'dhcp', { asksBeforeAdmission: 1 })
    expect(hops).toEqual([...dhcp('http://10.77.0.1:8080/boot/ipxe'), 'admission', 'boot-script', ...kernelTwice])
  })
})
