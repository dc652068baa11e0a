import { expect, test } from 'vitest'
import { planDisks, type DiskTarget, type PlannedMachine } from '../../../server/api/disk-plan.ts'
import type { Disk } from '../../../server/api/machine.ts'

const ssd: Disk = {
  device: '/dev/sda',
  sizeBytes: 480_103_981_056,
  logicalSectorBytes: 512,
  model: 'Samsung SSD 870',
  serial: 'S4EW',
  wwn: '',
  transport: 'sata',
  removable: false,
  readOnly: false,
  contents: ['gpt partition table', 'ext4 filesystem "data" on /dev/sda1, last mounted at /srv on 2026-11-02'],
}
const stick: Disk = { ...ssd, device: '/dev/sdb', model: 'Stick', serial: 'U1', transport: 'usb', removable: true }
const machine = (more: Partial<PlannedMachine> = {}, disks = [ssd, stick]): PlannedMachine => ({
  id: '52-54-00-12-34-56',
  seenAt: '2026-11-28T18:00:00.000Z',
  inventory: { disks, firmware: 'bios', architecture: 'amd64' },
  scratchSerials: ['S4EW'],
  ...more,
})
const rule = { minSizeBytes: 2 ** 32 }
const image = { name: 'web', version: 'web-1', architecture: 'amd64', firmware: ['bios', 'uefi'], sectorBytes: 512 }

test('what would be erased is told with model, serial number, size and what it holds, and why the other disks stay', () => {
  expect(planDisks(machine(), { rule }, 'recipe debian-12')).toEqual({
    machine: '52-54-00-12-34-56',
    seenAt: '2026-11-28T18:00:00.000Z',
    purpose: 'recipe debian-12',
    target: { rule },
    verdict: 'erase',
    summary:
      'would erase Samsung SSD 870 S/N S4EW, 480 GB (/dev/sda, sata), holding gpt partition table; ext4 filesystem "data" on /dev/sda1, last mounted at /srv on 2026-11-02',
    device: '/dev/sda',
    disks: [
      { disk: ssd, scratch: true, fate: 'erased', reasons: [] },
      { disk: stick, scratch: false, fate: 'kept', reasons: ['is removable', 'is attached by USB'] },
    ],
  })
})

test('F1 what would be refused is told with the reason for each disk', () => {
  const { verdict, summary, device, disks } = planDisks(machine({ scratchSerials: [] }), { rule }, 'recipe debian-12')
  expect([verdict, device]).toEqual(['refused', undefined])
  expect(summary).toMatch(/^would write nothing: \/dev\/sda \(.*\) holds data .* S4EW is not marked as scratch for this machine; not meant by the rule: \/dev\/sdb \(.*\): is removable, is attached by USB$/)
  expect(disks.map(({ fate, reasons }) => [fate, reasons.length > 0])).toEqual([['kept', true], ['kept', true]])
})

test('a system that was deployed and would be lost is told', () => {
  const system = { job: 'a', image: 'web', version: 'web-1', digest: `sha256:${'0'.repeat(64)}`, deployedAt: '2026-11-01T00:00:00.000Z' }
  expect(planDisks(machine({ system }), { rule }, '').system).toEqual({ job: 'a', image: 'web', version: 'web-1', deployedAt: '2026-11-01T00:00:00.000Z' })
})

test.each<[what: string, target: DiskTarget, disks: Disk[], reason: string]>([
  ['another architecture', { rule, image: { ...image, architecture: 'arm64' } }, [ssd], 'web:web-1 is for arm64: expected a machine of that architecture, got amd64'],
  ['other firmware', { rule, image: { ...image, firmware: ['uefi'] } }, [ssd], 'web:web-1 boots with uefi only: expected a machine started by that, got bios'],
  ['other sectors', { rule, image }, [{ ...ssd, logicalSectorBytes: 4096 }], 'has sectors of 4096 bytes: expected sectors of 512 bytes, for which web:web-1 was made'],
])('F1 an image for %s would not be deployed', (_, target, disks, reason) => {
  const { verdict, summary, disks: told } = planDisks(machine({}, disks), target, 'image web:web-1')
  expect(verdict).toBe('refused')
  expect(summary).toContain(reason)
  expect(told).toEqual([{ disk: disks[0], scratch: true, fate: 'kept', reasons: [expect.stringMatching(/./)] }])
})

test('an empty disk is told as such', () => {
  expect(planDisks(machine({}, [{ ...ssd, contents: [] }]), { rule }, '').summary).toBe('would erase Samsung SSD 870 S/N S4EW, 480 GB (/dev/sda, sata), on which nothing was found')
})
