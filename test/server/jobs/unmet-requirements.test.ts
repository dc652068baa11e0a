import { describe, expect, test } from 'vitest'
import type { Requirements } from '../../../server/api/job.ts'
import type { Disk, Inventory } from '../../../server/api/machine.ts'
import { unmetRequirements } from '../../../server/jobs/unmet-requirements.ts'

const gibibyte = 2 ** 30
const disk = (sizeGiB: number, more: Partial<Disk> = {}): Disk => ({
  device: '/dev/sda',
  sizeBytes: sizeGiB * gibibyte,
  logicalSectorBytes: 512,
  model: 'disk',
  serial: 'S1',
  wwn: '',
  transport: 'sata',
  removable: false,
  readOnly: false,
  contents: [],
  ...more,
})
const inventory = (more: Partial<Inventory> = {}): Inventory => ({
  id: '52-54-00-00-00-01',
  uuid: '',
  firmware: 'bios',
  secureBoot: false,
  architecture: 'amd64',
  manufacturer: 'QEMU',
  model: 'pc',
  serial: '',
  cpu: { model: 'cpu', cores: 2 },
  memoryBytes: 2048 * 2 ** 20,
  disks: [disk(20)],
  nics: [],
  workerVersion: '0.1.0',
  ...more,
})
const unmet = (requires: Requirements | undefined, { labels, ...more }: Partial<Inventory> & { labels?: Record<string, string> } = {}) =>
  unmetRequirements({ ...(requires === undefined ? {} : { requires }) }, { id: '52-54-00-00-00-01', inventory: inventory(more), ...(labels === undefined ? {} : { labels }) })

describe('what speaks against a machine', () => {
  test('a job that requires nothing is every machine\'s, also of one that nothing is known of', () => {
    expect(unmet(undefined)).toEqual([])
    expect(unmetRequirements({ requires: {} }, { id: 'curl' })).toEqual([])
  })

  test('every requirement that does not hold is told, with what was expected and what was got', () => {
    const requires: Requirements = { firmware: 'uefi', architecture: 'amd64', memoryMiB: 4096, diskGiB: 100, labels: { rack: 'b2', row: '1' }, machines: ['a', 'b'] }
    expect(unmet(requires, { architecture: 'arm64', labels: { row: '2' } })).toEqual([
      'machines: expected a or b, got 52-54-00-00-00-01',
      'labels.rack: expected "b2", got none',
      'labels.row: expected "1", got "2"',
      'firmware: expected uefi, got bios',
      'architecture: expected amd64, got arm64',
      'memoryMiB: expected at least 4096, got 2048',
      'diskGiB: expected at least 1 fixed disk of at least 100 GiB, got 20 GiB',
    ])
  })

  test('what is exactly enough fits', () => {
    const requires: Requirements = { firmware: 'bios', architecture: 'amd64', memoryMiB: 2048, diskGiB: 20, diskCount: 1, labels: { rack: 'b2' }, machines: ['52-54-00-00-00-01'] }
    expect(unmet(requires, { labels: { rack: 'b2', more: 'x' } })).toEqual([])
  })

  test('a machine that has not told of itself meets labels and machines, and nothing that its inventory would tell', () => {
    expect(unmetRequirements({ requires: { labels: { rack: 'b2' }, machines: ['m1'] } }, { id: 'm1', labels: { rack: 'b2' } })).toEqual([])
    expect(unmetRequirements({ requires: { memoryMiB: 1, firmware: 'bios', diskCount: 1 } }, { id: 'm1' })).toEqual(['inventory: not known yet'])
  })

  test('F1 only disks that stay in the machine and can be written count', () => {
    const disks = [disk(20), disk(500, { removable: true }), disk(500, { transport: 'usb' }), disk(500, { readOnly: true }), disk(500, { transport: 'iscsi' })]
    expect(unmet({ diskCount: 2 }, { disks })).toEqual(['diskCount: expected at least 2 fixed disks, got 1'])
    expect(unmet({ diskGiB: 100 }, { disks })).toEqual(['diskGiB: expected at least 1 fixed disk of at least 100 GiB, got 20 GiB'])
    expect(unmet({ diskGiB: 100 }, { disks: [] })).toEqual(['diskGiB: expected at least 1 fixed disk of at least 100 GiB, got none'])
  })

  test('of several disks each must be large enough', () => {
    expect(unmet({ diskCount: 2, diskGiB: 100 }, { disks: [disk(100), disk(99), disk(200)] })).toEqual([])
    expect(unmet({ diskCount: 2, diskGiB: 100 }, { disks: [disk(100), disk(99)] })).toEqual(['diskGiB: expected at least 2 fixed disks of at least 100 GiB, got 100 GiB, 99 GiB'])
  })

  test('a label named like something that every object has is not there by itself', () => {
    expect(unmet({ labels: { constructor: 'x' } })).toEqual(['labels.constructor: expected "x", got none'])
  })
})
