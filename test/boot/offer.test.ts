import { describe, expect, it } from 'vitest'
import { describeAsked, type Asked } from '../../boot/asked.ts'
import { ipxeScriptUrl, longestFileBytes, planOffer } from '../../boot/offer.ts'
import type { BootPolicy } from '../../boot/policy.ts'

const httpUrl = 'http://10.77.0.1:8080'
const address = '10.77.0.100'
const asked = (more: Partial<Asked> = {}): Asked => ({
  service: 'dhcp',
  architectures: [],
  vendorClass: '',
  userClass: '',
  ipxeFeatures: new Set(),
  ...more,
})
const pxe = (code: number) => asked({ architectures: [code], vendorClass: `PXEClient:Arch:${String(code).padStart(5, '0')}:UNDI:003016` })
const http = (code: number) => asked({ architectures: [code], vendorClass: `HTTPClient:Arch:${String(code).padStart(5, '0')}:UNDI:003016` })
const ipxe = (code: number, features = [0x13, 0x17]): Asked => ({ ...pxe(code), userClass: 'iPXE', ipxeFeatures: new Set(features) })
const system = asked({ vendorClass: 'udhcp 1.35.0' })
const on4011 = (one: Asked): Asked => ({ ...one, service: 'boot-service' })

/** An offer in a word or two, for tables. */
const inWords = (offer: ReturnType<typeof asDhcpServer> | ReturnType<typeof asProxy>): string => {
  switch (offer.kind) {
    case 'silent':
      return `silent: ${offer.reason}`
    case 'address':
      return ['address', ...(offer.note === undefined ? [] : [offer.note])].join(': ')
    case 'boot':
      return `address and ${offer.client} ${offer.file}`
    case 'proxy':
      return `${offer.client} ${offer.file}${offer.direct ? ' directly' : ''}`
    case 'proxy-invitation':
      return 'invitation'
  }
}
const asDhcpServer = (one: Asked, policy: BootPolicy = {}) =>
  planOffer(one, { mode: 'dhcp', address, httpUrl, policy })
const asProxy = (one: Asked, policy: BootPolicy = {}) => planOffer(one, { mode: 'proxy', httpUrl, policy })

const script = ipxeScriptUrl(httpUrl)
const noProxy = "Secure Boot does not go by proxyDHCP, for Debian's signed GRUB heeds only the DHCP server: use mode: dhcp"
const noHttp = "Secure Boot does not go by UEFI HTTP boot, for Debian's signed GRUB has no HTTP: let the machine boot by PXE"
const idle = 'asks for an address only, which is for another server to give'

describe('what a machine is offered, by what it asks', () => {
  it.each<[title: string, asked: Asked, inDhcpMode: string, inProxyMode: string, onPort4011: string]>([
    ['BIOS', pxe(0), 'address and pxe undionly.kpxe', 'pxe undionly.kpxe directly', 'pxe undionly.kpxe directly'],
    ['IA32 UEFI', pxe(6), 'address: no boot file for IA32 UEFI', 'silent: no boot file for IA32 UEFI', 'silent: no boot file for IA32 UEFI'],
    ['x64 UEFI', pxe(7), 'address and pxe snponly.efi', 'invitation', 'pxe snponly.efi'],
    ['x64 UEFI that says EBC (RFC 4578 erratum)', pxe(9), 'address and pxe snponly.efi', 'invitation', 'pxe snponly.efi'],
    ['ARM32 UEFI', pxe(10), 'address: no boot file for ARM32 UEFI', 'silent: no boot file for ARM32 UEFI', 'silent: no boot file for ARM32 UEFI'],
    ['ARM64 UEFI', pxe(11), 'address: no boot file for ARM64 UEFI', 'silent: no boot file for ARM64 UEFI', 'silent: no boot file for ARM64 UEFI'],
    ['IA32 UEFI HTTP', http(15), 'address: no boot file for IA32 UEFI HTTP', 'silent: no boot file for IA32 UEFI HTTP', 'silent: no boot file for IA32 UEFI HTTP'],
    ['x64 UEFI HTTP', http(16), `address and http ${httpUrl}/boot/snponly.efi`, `http ${httpUrl}/boot/snponly.efi`, `http ${httpUrl}/boot/snponly.efi`],
    ['ARM32 UEFI HTTP', http(18), 'address: no boot file for ARM32 UEFI HTTP', 'silent: no boot file for ARM32 UEFI HTTP', 'silent: no boot file for ARM32 UEFI HTTP'],
    ['ARM64 UEFI HTTP', http(19), 'address: no boot file for ARM64 UEFI HTTP', 'silent: no boot file for ARM64 UEFI HTTP', 'silent: no boot file for ARM64 UEFI HTTP'],
    ['BIOS HTTP', http(20), `address and http ${httpUrl}/boot/undionly.kpxe`, `http ${httpUrl}/boot/undionly.kpxe`, `http ${httpUrl}/boot/undionly.kpxe`],
    ['Itanium', pxe(2), 'address: no boot file for architecture 2', 'silent: no boot file for architecture 2', 'silent: no boot file for architecture 2'],
    ['a ROM without option 93', { ...pxe(7), architectures: [] }, 'address and pxe snponly.efi', 'invitation', 'pxe snponly.efi'],
    ['firmware with a list of architectures', { ...pxe(6), architectures: [6, 7] }, 'address and pxe snponly.efi', 'invitation', 'pxe snponly.efi'],
    ['iPXE on BIOS', ipxe(0), `address and ipxe ${script}`, `ipxe ${script}`, `ipxe ${script}`],
    ['iPXE on UEFI', ipxe(7), `address and ipxe ${script}`, `ipxe ${script}`, `ipxe ${script}`],
    ['iPXE on ARM64, which needs no boot file of ours', ipxe(11), `address and ipxe ${script}`, `ipxe ${script}`, `ipxe ${script}`],
    ['an iPXE that has no HTTP, on BIOS', ipxe(0, [0x17]), 'address and pxe undionly.kpxe', 'pxe undionly.kpxe directly', 'pxe undionly.kpxe directly'],
    ['an iPXE that has no HTTP, on UEFI', ipxe(7, [0x17]), 'address and pxe snponly.efi', 'invitation', 'pxe snponly.efi'],
    ['an operating system', system, 'address', `silent: ${idle}`, 'silent: no boot file for architecture unknown'],
  ])('%s', (_, one, inDhcpMode, inProxyMode, onPort4011) => {
    expect([asDhcpServer(one), asProxy(one), asProxy(on4011(one))].map(inWords)).toEqual([inDhcpMode, inProxyMode, onPort4011])
  })
})

describe('what a machine is offered, by what is set for it', () => {
  it.each<[title: string, policy: BootPolicy, asked: Asked, inDhcpMode: string, inProxyMode: string]>([
    ['ignored', { boot: 'ignore' }, pxe(7), 'silent: this machine is set to be ignored', 'silent: this machine is set to be ignored'],
    ['ignored, also its operating system', { boot: 'ignore' }, system, 'silent: this machine is set to be ignored', 'silent: this machine is set to be ignored'],
    ['its local disk (F6)', { boot: 'local-disk' }, pxe(7), 'address: this machine is set to boot its local disk', 'silent: this machine is set to boot its local disk'],
    ['its local disk, asked by iPXE', { boot: 'local-disk' }, ipxe(7), 'address: this machine is set to boot its local disk', 'silent: this machine is set to boot its local disk'],
    ['its local disk, asked by its operating system', { boot: 'local-disk' }, system, 'address', `silent: ${idle}`],
    ['another boot file', { file: 'ipxe.efi' }, pxe(7), 'address and pxe ipxe.efi', 'invitation'],
    ['another boot file, by HTTP', { file: 'ipxe.efi' }, http(16), `address and http ${httpUrl}/boot/ipxe.efi`, `http ${httpUrl}/boot/ipxe.efi`],
    ['firmware that ignores invitations (danderson/netboot #43)', { proxyReply: 'direct' }, pxe(7), 'address and pxe snponly.efi', 'pxe snponly.efi directly'],
    ['Secure Boot', { secureBoot: true }, pxe(7), 'address and pxe shimx64.efi', `silent: ${noProxy}`],
    ['Secure Boot, by UEFI HTTP boot', { secureBoot: true }, http(16), `address: ${noHttp}`, `silent: ${noHttp}`],
    ['Secure Boot, which BIOS does not have', { secureBoot: true }, pxe(0), 'address and pxe undionly.kpxe', 'pxe undionly.kpxe directly'],
    ['Secure Boot, of an architecture without signed programs', { secureBoot: true }, pxe(11), 'address: no boot file for ARM64 UEFI', 'silent: no boot file for ARM64 UEFI'],
    ['firmware that wants to be invited', { proxyReply: 'port-4011' }, pxe(0), 'address and pxe undionly.kpxe', 'invitation'],
  ])('%s', (_, policy, one, inDhcpMode, inProxyMode) => {
    expect([asDhcpServer(one, policy), asProxy(one, policy)].map(inWords)).toEqual([inDhcpMode, inProxyMode])
  })
})

it('nothing is said when every address is taken', () =>
  expect(planOffer(pxe(0), { mode: 'dhcp', address: undefined, httpUrl, policy: {} })).toEqual({ kind: 'silent', reason: 'every address of the range is taken' }))
it("the script's address fits into a reply for the longest IPv4 address and port", () => {
  expect(ipxeScriptUrl('http://255.255.255.255:65535').length).toBeLessThanOrEqual(longestFileBytes)
})
it('names the asking firmware for people', () => {
  expect([pxe(7), ipxe(0), system, asked({ architectures: [2] })].map(describeAsked)).toEqual(['x64 UEFI', 'iPXE on BIOS', 'none', 'architecture 2'])
})
