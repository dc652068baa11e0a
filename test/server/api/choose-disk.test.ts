import { expect, test } from 'vitest'
import { chooseDisk } from '../../../server/api/choose-disk.ts'
import type { Disk } from '../../../server/api/machine.ts'

const gibibyte = 1024 ** 3
const rule = { minSizeBytes: 4 * gibibyte }

const disk = (fields: Partial<Disk> = {}): Disk => ({
  device: '/dev/sda',
  sizeBytes: 20 * gibibyte,
  logicalSectorBytes: 512,
  model: 'QEMU HARDDISK',
  serial: 'QM1',
  wwn: '',
  transport: 'sata',
  removable: false,
  readOnly: false,
  contents: [],
  ...fields,
})
const second = (fields: Partial<Disk> = {}) => disk({ device: '/dev/sdb', serial: 'QM2', ...fields })
const holdingData = { contents: ['gpt partition table', 'ext4 filesystem "data" on /dev/sda1'] }

test('the only disk is chosen when it is empty and large enough', () => {
  expect(chooseDisk([disk()], rule, [])).toMatchObject({ disk: disk() })
})

test('F1 a machine without disks is refused', () => {
  expect(chooseDisk([], rule, [])).toMatchObject({ refusal: 'expected one disk to write, got a machine without disks' })
})

test('F1 of two equal disks none is chosen, and both are named', () => {
  expect(chooseDisk([disk(), second()], rule, [])).toMatchObject({
    refusal:
      '2 disks fit where one must; name it by serial, wwn, model or size: ' +
      '/dev/sda (20 GiB, sata, model QEMU HARDDISK, serial QM1): fits; /dev/sdb (20 GiB, sata, model QEMU HARDDISK, serial QM2): fits',
  })
})

test('F1 two disks that fit are refused even when one holds data and one is scratch', () => {
  expect(chooseDisk([disk(holdingData), second()], rule, [])).toHaveProperty('refusal')
  expect(chooseDisk([disk(holdingData), second()], rule, ['QM1'])).toHaveProperty('refusal')
})

test.each<[what: string, fields: Partial<Disk>, reason: string]>([
  ['attached by USB', { transport: 'usb' }, 'is attached by USB'],
  ['removable', { removable: true }, 'is removable'],
  ['read-only', { readOnly: true }, 'is read-only'],
  ['too small', { sizeBytes: 2 * gibibyte }, 'is smaller than 4 GiB'],
  ['a device mapper node over several paths', { device: '/dev/dm-0' }, 'is one of several paths to a disk'],
])('F1 a disk that is %s is never picked by itself, and does not stand in the way of one that fits', (_, fields, reason) => {
  expect(chooseDisk([disk(fields)], rule, [])).toMatchObject({ refusal: expect.stringContaining(reason) })
  expect(chooseDisk([disk(fields), second()], rule, [])).toMatchObject({ disk: second() })
})

test('F1 two devices of one World Wide Name are paths to one disk, and refused even when it is named', () => {
  const paths = [disk({ wwn: '0x5000c5001' }), second({ wwn: '0x5000c5001' })]
  expect(chooseDisk(paths, rule, [])).toMatchObject({ refusal: expect.stringMatching(/^no disk fits: .*several paths.*several paths/) })
  expect(chooseDisk(paths, { ...rule, wwn: '0x5000c5001' }, [])).toMatchObject({ refusal: expect.stringMatching(/^no disk fits: .*several paths.*several paths/) })
})

test.each<[field: string, named: { serial: string } | { wwn: string }]>([
  ['serial', { serial: 'QM1' }],
  ['wwn', { wwn: '0x5000c5001' }],
])('a USB disk is chosen when it is named by its %s', (_, named) => {
  const usb = disk({ transport: 'usb', removable: true, wwn: '0x5000c5001' })
  expect(chooseDisk([usb, second()], { ...rule, ...named }, [])).toMatchObject({ disk: usb })
})

test('a read-only or too small disk is refused even when it is named', () => {
  expect(chooseDisk([disk({ readOnly: true })], { serial: 'QM1' }, [])).toMatchObject({ refusal: expect.stringContaining('is read-only') })
  expect(chooseDisk([disk({ sizeBytes: gibibyte })], { ...rule, serial: 'QM1' }, [])).toMatchObject({ refusal: expect.stringContaining('is smaller than 4 GiB') })
})

test('a serial number tells equal disks apart', () => {
  expect(chooseDisk([disk(), second()], { ...rule, serial: 'QM2' }, [])).toMatchObject({ disk: second() })
})

test.each<[field: string, named: object, reason: string]>([
  ['serial', { serial: 'QM9' }, 'serial is not QM9'],
  ['wwn', { wwn: '0x5' }, 'wwn is unknown, not 0x5'],
  ['model', { model: 'SSD' }, 'model is not SSD'],
  ['transport', { transport: 'nvme' }, 'transport is sata, not nvme'],
  ['largest size', { maxSizeBytes: 10 * gibibyte }, 'is larger than 10 GiB'],
])('every disk that another %s rules out is named with the reason', (_, named, reason) => {
  const choice = chooseDisk([disk(), second()], { ...rule, ...named }, [])
  expect(choice).toMatchObject({ refusal: `no disk fits: /dev/sda (20 GiB, sata, model QEMU HARDDISK, serial QM1): ${reason}; /dev/sdb (20 GiB, sata, model QEMU HARDDISK, serial QM2): ${reason}` })
})

test('F1 a disk that holds data is refused, telling what it holds and how it could be allowed', () => {
  expect(chooseDisk([disk(holdingData)], rule, [])).toMatchObject({
    refusal:
      '/dev/sda (20 GiB, sata, model QEMU HARDDISK, serial QM1) holds data (gpt partition table, ext4 filesystem "data" on /dev/sda1) ' +
      'and its serial number QM1 is not marked as scratch for this machine',
  })
})

test('F1 naming a disk by serial does not allow its data to be overwritten', () => {
  expect(chooseDisk([disk(holdingData)], { serial: 'QM1' }, [])).toMatchObject({ refusal: expect.stringContaining('holds data') })
})

test('a disk that holds data is chosen when its serial number is marked as scratch', () => {
  expect(chooseDisk([disk(holdingData)], rule, ['QM1'])).toMatchObject({ disk: disk(holdingData) })
})

test('F1 a disk without a serial number cannot be scratch', () => {
  expect(chooseDisk([disk({ ...holdingData, serial: '' })], rule, [''])).toMatchObject({ refusal: expect.stringContaining('has no serial number') })
})
