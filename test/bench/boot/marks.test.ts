import { describe, expect, it } from 'vitest'
import type { MachineEvent } from '../../../server/api/event.ts'
import { claimMarks } from './measure-claim.ts'
import { installerMarks } from './measure-installer.ts'

const at = (second: number): string => new Date(second * 1000).toISOString()
const machine = '52-54-00-77-02-01'
const discover = (second: number, vendorClass: string): MachineEvent => ({ time: at(second), machine, hop: 'dhcp-discover', architecture: 'none', vendorClass, address: '' })
const ack = (second: number, file = ''): MachineEvent => ({ time: at(second), machine, hop: 'dhcp-ack', address: '10.77.0.100', file })
const seconds = (marks: readonly { name: string; atMs: number }[]) => Object.fromEntries(marks.map(({ name, atMs }) => [name, atMs / 1000]))

describe('installerMarks', () => {
  it("counts the DHCP answer to the installer's own question, not those of the firmware and of iPXE", () => {
    const events = [discover(1, 'PXEClient:Arch:00007'), ack(2, 'snponly.efi'), discover(3, 'PXEClient:Arch:00007'), ack(4, 'http://…'), discover(30, 'd-i'), ack(31)]
    expect(seconds(installerMarks(events, []))).toEqual({ 'firmware has an address': 2, 'installer asks for an address': 30, 'network configured': 31 })
  })
  it('has no configured network without the question', () => {
    expect(seconds(installerMarks([ack(2, 'undionly.kpxe')], []))).toEqual({ 'firmware has an address': 2 })
  })
})

describe('claimMarks', () => {
  it('are in the order of time, by request where a machine asks and by event where it has got', () => {
    const events: MachineEvent[] = [ack(2, 'http://…'), { time: at(4), machine, hop: 'kernel', bytes: 8, ms: 1000 }, ack(8), { time: at(12), machine, hop: 'claim', job: 'bench' }]
    const requests = [
      { atMs: 3000, method: 'GET', url: '/boot/ipxe?mac=52-54-00-77-02-01' },
      { atMs: 9000, method: 'GET', url: '/boot/stage2.squashfs' },
      { atMs: 9500, method: 'GET', url: '/boot/stage2.squashfs' },
    ]
    expect(claimMarks(events, requests, [{ name: 'stage 1 begins', atMs: 7000 }]).map(({ name, atMs }) => `${atMs / 1000} ${name}`)).toEqual([
      '2 firmware has an address',
      '3 iPXE asks for its script',
      '4 kernel fetched',
      '7 stage 1 begins',
      '9 stage 1 asks for stage 2',
      '12 job claimed',
    ])
  })
})
