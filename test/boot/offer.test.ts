import { describe, expect, it } from 'vitest'
import { describeAsked, ipxeScriptUrl, longestFileBytes, planOffer, type Asked } from '../../boot/offer.ts'

const known = { address: '10.77.0.100', serverAddress: '10.77.0.1', httpUrl: 'http://10.77.0.1:8080' }
const asked = (more: Partial<Asked> = {}): Asked => ({
  architectures: [],
  vendorClass: '',
  userClass: '',
  ipxeFeatures: new Set(),
  ...more,
})
const bios = asked({ architectures: [0], vendorClass: 'PXEClient:Arch:00000:UNDI:002001' })
const uefi = asked({ architectures: [7], vendorClass: 'PXEClient:Arch:00007:UNDI:003016' })
const http = asked({ architectures: [16], vendorClass: 'HTTPClient:Arch:00016:UNDI:003016' })
const ipxe = { ...bios, userClass: 'iPXE', ipxeFeatures: new Set([0x13, 0x17]) }

describe('what a machine is offered', () => {
  it('BIOS gets undionly.kpxe by TFTP', () =>
    expect(planOffer(bios, known)).toEqual({ kind: 'boot', address: '10.77.0.100', file: 'undionly.kpxe', client: 'pxe' }))
  it('UEFI gets snponly.efi by TFTP', () => expect(planOffer(uefi, known)).toMatchObject({ file: 'snponly.efi', client: 'pxe' }))
  it('UEFI HTTP boot gets a URL by IP address', () => {
    expect(planOffer(http, known)).toMatchObject({ file: 'http://10.77.0.1:8080/boot/snponly.efi', client: 'http' })
  })
  it('iPXE gets the script and not its binary again', () =>
    expect(planOffer(ipxe, known)).toMatchObject({ file: ipxeScriptUrl(known.httpUrl), client: 'ipxe' }))
  it('an iPXE that has no HTTP chains ours', () => {
    expect(planOffer({ ...ipxe, ipxeFeatures: new Set([0x17]) }, known)).toMatchObject({ file: 'undionly.kpxe', client: 'pxe' })
  })
  it('an operating system gets a plain address', () => {
    expect(planOffer(asked({ vendorClass: 'udhcp 1.35.0' }), known)).toEqual({ kind: 'address', address: '10.77.0.100' })
  })
  it('reads the architecture from the vendor class when option 93 is missing', () => {
    expect(planOffer({ ...uefi, architectures: [] }, known)).toMatchObject({ file: 'snponly.efi' })
  })
  it('firmware that no boot file exists for gets an address and the reason is told', () => {
    expect(planOffer({ ...uefi, architectures: [11] }, known)).toEqual({
      kind: 'address',
      address: '10.77.0.100',
      note: 'no boot file for ARM64 UEFI',
    })
    expect(planOffer({ ...uefi, architectures: [2] }, known)).toMatchObject({ note: 'no boot file for architecture 2' })
  })
  it('nothing is said when every address is taken', () => {
    expect(planOffer(bios, { ...known, address: undefined })).toEqual({ kind: 'silent', reason: 'every address of the range is taken' })
  })
  it("the script's address fits into a reply for the longest IPv4 address and port", () => {
    expect(ipxeScriptUrl('http://255.255.255.255:65535').length).toBeLessThanOrEqual(longestFileBytes)
  })
})

it('names the asking firmware for people', () => {
  expect([uefi, ipxe, asked({ vendorClass: 'udhcp 1.35.0' }), asked({ architectures: [2] })].map(describeAsked)).toEqual([
    'x64 UEFI',
    'iPXE on BIOS',
    'none',
    'architecture 2',
  ])
})
