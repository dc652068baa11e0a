import { beforeAll, describe, expect, it } from 'vitest'
import { judgeOtherServers } from '../../../server/netboot/check-other-servers.ts'
import { renderOtherServer, type OtherServer } from '../../../server/netboot/find-other-servers.ts'
import { findMaker } from '../../../server/netboot/maker-of.ts'
import { inNamespace, noNamespaces } from '../../helpers/namespace.ts'
import type { scenario } from './other-servers-scenario.ts'

const advice = 'stop it, or boot beside it with "mode: proxy", or insist with "allowOtherServers: true" under netboot in the configuration'
const dnsmasq = /^another server on boot0: 10\.77\.0\.9 \(02-00-00-00-00-fe\) gives addresses such as 10\.77\.0\.5\d and boots pxelinux\.0/

describe.skipIf(noNamespaces)('F7 another DHCP server on the boot network', () => {
  let seen: Awaited<ReturnType<typeof scenario>>
  beforeAll(async () => void (seen = await inNamespace(new URL('other-servers-scenario.ts', import.meta.url), {}, { timeoutMs: 90_000 })), 100_000)

  it('is looked for, and where there is none addresses are given', () => expect(seen.alone).toEqual({ started: true, warnings: [], problems: [] }))
  it('is missed where another shall give the addresses', () => {
    expect(seen.proxyAlone.warnings).toEqual(['no server on boot0 gives addresses, and mode: proxy gives none: machines cannot boot until one does'])
  })
  it('forbids to give addresses, and is named with what it does and what can be done', () => {
    expect(seen.besideOther).toMatchObject({ started: false, warnings: [] })
    expect(seen.besideOther.problems).toEqual([expect.stringMatching(dnsmasq) as string])
    expect(seen.besideOther.problems[0]).toMatch(new RegExp(`${advice}$`))
  })
  it('is lived with when told so', () => expect(seen.allowed).toEqual({ started: true, warnings: [], problems: [] }))
  it('is welcome to a proxy, but told when it boots machines too', () => {
    expect(seen.proxyBesideOther).toMatchObject({ started: true, warnings: [expect.stringMatching(/machines follow whichever they hear first$/) as string] })
  })
  it('is told by `ingot doctor --config`', () => {
    expect(seen.doctorBesideOther).toEqual([{ good: false, found: expect.stringMatching(dnsmasq) as string }])
    expect(seen.doctorProxy).toEqual([{ good: true, found: expect.stringMatching(dnsmasq) as string }])
  })
})

const server = (more: Partial<OtherServer>): OtherServer => ({ address: '10.77.0.9', machine: undefined, maker: undefined, givesAddress: undefined, boots: '', isPxe: false, ...more })

it('another server is described by address, maker and what it does', () => {
  expect(renderOtherServer(server({ machine: '24-6e-96-12-34-56', maker: 'Dell Inc.', givesAddress: '10.77.0.51', boots: 'a.efi' }))).toBe(
    '10.77.0.9 (24-6e-96-12-34-56, made by Dell Inc.) gives addresses such as 10.77.0.51 and boots a.efi',
  )
  expect(renderOtherServer(server({ machine: '24-6e-96-12-34-56', isPxe: true }))).toBe('10.77.0.9 (24-6e-96-12-34-56) says what to boot')
})

it('a PXE server forbids DHCP mode too, for machines would follow either', () =>
  expect(judgeOtherServers([server({ isPxe: true })], { interfaceName: 'eth1', mode: 'dhcp' }).problems).toHaveLength(1))

it('the maker of a network card is found by its longest prefix', () => {
  const hwdb = '\nOUI:246E96*\n ID_OUI_FROM_DATABASE=Dell Inc.\n\nOUI:8C1F64*\n ID_OUI_FROM_DATABASE=IEEE\n\nOUI:8C1F64FCA*\n ID_OUI_FROM_DATABASE=Small Co.\n'
  expect(['24-6e-96-00-00-01', '8c-1f-64-fc-a0-01', '8c-1f-64-00-00-01', '02-00-00-00-00-01'].map((machine) => findMaker(hwdb, machine))).toEqual(['Dell Inc.', 'Small Co.', 'IEEE', undefined])
})
