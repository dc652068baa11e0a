import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { blockBytes, blockCount, endBytes, rangesToRead, wholeBytes } from '../../../appliance/disks/find-data.ts'
import { readDisks } from '../../../appliance/disks/read-disks.ts'
import { readIdentity } from '../../../appliance/disks/read-identity.ts'
import { renderSignature } from '../../../appliance/disks/render-signature.ts'
import { run } from '../../../appliance/run.ts'

let sys: string
beforeEach(async () => {
  sys = await mkdtemp(join(tmpdir(), 'ingot-sys-'))
  await mkdir(join(sys, 'block'), { recursive: true })
})
afterEach(() => rm(sys, { recursive: true }))

const size = { size: '1000\n', removable: '0\n', ro: '0\n', 'queue/logical_block_size': '512\n' }

/** A disk as the kernel shows it: a folder in the device tree, linked from `block/`, and what stands above it there. */
async function addDisk(name: string, place: string, attributes: Record<string, string | Buffer> = {}, above: Record<string, string> = {}) {
  const folder = join(sys, 'devices', place, 'block', name)
  for (const [path, value] of Object.entries({ ...size, ...attributes })) {
    await mkdir(dirname(join(folder, path)), { recursive: true })
    await writeFile(join(folder, path), value)
  }
  for (const [path, value] of Object.entries(above)) await writeFile(join(sys, 'devices', path), value)
  await symlink(folder, join(sys, 'block', name))
  return readIdentity(name, join(sys, 'block', name))
}

test.each<[name: string, place: string, attributes: Record<string, string | Buffer>, expected: object]>([
  ['nvme0n1', 'pci0/nvme/nvme0', { 'queue/logical_block_size': '4096\n', wwid: 'eui.0025\n', 'device/model': 'SAMSUNG MZ   \n', 'device/serial': 'S4EW  \n' }, { transport: 'nvme', serial: 'S4EW', wwn: 'eui.0025', model: 'SAMSUNG MZ', logicalSectorBytes: 4096 }],
  ['sda', 'pci0/ata1/host0/target0:0:0', { 'device/model': 'QEMU HARDDISK', 'device/wwid': 't10.ATA', 'device/vpd_pg80': Buffer.from('\0\x80\0\x05 QM01', 'latin1') }, { transport: 'sata', serial: 'QM01', wwn: 't10.ATA', model: 'QEMU HARDDISK', sizeBytes: 512_000 }],
  ['sdb', 'pci0/usb1/1-1/host1/target1:0:0', { removable: '1\n', 'device/model': 'Stick' }, { transport: 'usb', removable: true }],
  ['sdc', 'pci0/host2/port-2:0/end_device-2:0/target2:0:0', { ro: '1\n' }, { transport: 'sas', readOnly: true }],
  ['sdd', 'platform/host3/session1/target3:0:0', {}, { transport: 'iscsi' }],
  ['sde', 'pci0/host4/rport-4:0-0/target4:0:0', {}, { transport: 'fc' }],
  ['sdf', 'pci0/fw1/fw1.0/host5/target5:0:0', {}, { transport: 'firewire' }],
  ['sdg', 'pci0/host6/target6:0:0', { 'queue/zoned': 'host-managed\n' }, { transport: 'scsi', unfit: ['is a zoned disk'] }],
  ['sdh', 'somewhere/else', {}, { transport: '' }],
  ['vda', 'pci0/virtio2', { serial: 'ingot-m1' }, { transport: 'virtio', serial: 'ingot-m1' }],
  ['xvda', 'vbd-51712', {}, { transport: 'xen' }],
  ['mmcblk0', 'platform/mmc0/mmc0:0001', { 'device/type': 'MMC\n', 'device/name': 'BJTD4R\n', 'device/serial': '0x17\n' }, { transport: 'mmc', removable: false, model: 'BJTD4R', serial: '0x17' }],
  ['mmcblk1', 'platform/mmc1/mmc1:0001', { 'device/type': 'SD\n' }, { transport: 'mmc', removable: true }],
  ['nvme1n1', 'virtual/nvme-subsystem/nvme-subsys1', { 'device/nvme1/transport': 'tcp\n', 'device/nvme2/transport': 'tcp\n' }, { transport: 'nvme-tcp', paths: 2 }],
  ['nvme2n1', 'virtual/nvme-subsystem/nvme-subsys2', { 'device/nvme3/transport': 'pcie\n' }, { transport: 'nvme' }],
  ['sdi', 'pci0/ata9/host9/target9:0:0', { 'device/model': 'Disk\x1b[2J\nX', 'device/vpd_pg80': Buffer.from('\0\x80\0\x05a\nb\x7fc', 'latin1') }, { model: 'Disk[2JX', serial: 'abc' }],
])('the disk %s at %s is known for what it is', async (name, place, attributes, expected) => {
  expect(await addDisk(name, place, attributes)).toMatchObject({ device: `/dev/${name}`, ...expected })
})

test('F1 a disk behind a port of the outside counts as removable, and a disk behind a bridge to USB has the serial number of that', async () => {
  expect(await addDisk('nvme0n1', 'pci0/port/nvme/nvme0', {}, { 'pci0/port/removable': 'removable\n' })).toMatchObject({ removable: true })
  expect(await addDisk('sda', 'pci0/inner/host0', {}, { 'pci0/inner/removable': 'fixed\n' })).toMatchObject({ removable: false })
  expect(await addDisk('sdb', 'pci0/usb1/1-1/host1/target1:0:0', {}, { 'pci0/usb1/serial': 'of the port\n', 'pci0/usb1/1-1/serial': 'U1\n' })).toMatchObject({ serial: 'U1' })
})

test('F1 what is built upon disks, and drives for other media, are no disks', async () => {
  for (const name of ['loop0', 'ram0', 'zram0', 'sr0', 'fd0', 'dm-0', 'md0', 'nbd0', 'rbd0', 'bcache0', 'drbd0', 'zd0', 'pmem0', 'mtdblock0', 'ublkb0', 'nullb0', 'mmcblk0boot0', 'mmcblk0rpmb', 'nvme0c0n1']) await addDisk(name, `virtual/${name}`)
  await addDisk('sda', 'pci0/ata1/host0', { size: '0\n' })
  expect((await readDisks({ run, sysDirectory: sys })).map(({ device }) => device)).toEqual(['/dev/sda'])
})

test('F1 a disk that cannot be opened is never taken for empty', async () => {
  await addDisk('sdzz', 'pci0/ata1/host0')
  expect(await readDisks({ run, sysDirectory: sys })).toMatchObject([{ device: '/dev/sdzz', unfit: [expect.stringMatching(/^cannot be read \(ENOENT/)] }])
})

test('the disks of this host are read without an error', async () => {
  for (const disk of await readDisks({ run })) expect(disk.device).toMatch(/^\/dev\//)
})

test.each([
  ['ext4', 'filesystem', 'data', 'ext4 filesystem "data" on /dev/sda1'],
  ['gpt', 'partition-table', null, 'gpt partition table on /dev/sda1'],
  ['LVM2_member', 'raid', null, 'LVM physical volume on /dev/sda1'],
  ['promise_fasttrack_raid_member', 'raid', null, 'promise fasttrack raid member on /dev/sda1'],
  ['swap', 'other', 'a\u001b]0;x\u0007\nb', 'swap space "a]0;xb" on /dev/sda1'],
])('the sign %s is told in words', (type, usage, label, words) => {
  expect(renderSignature({ type, usage, label, offset: '0x0' }, '/dev/sda1')).toBe(words)
})

describe('what is read of a disk without a sign', () => {
  test('is all of a small one', () => expect(rangesToRead(wholeBytes)).toEqual([{ startBytes: 0, endBytes: wholeBytes }]))

  test.each([wholeBytes + 512, 480_103_981_056, 22e12])('is both ends of one of %i bytes, and blocks so close that no data of a 1024th of it lies between two', (sizeBytes) => {
    const ranges = rangesToRead(sizeBytes)
    expect([ranges[0], ranges.at(-1)]).toEqual([{ startBytes: 0, endBytes }, { startBytes: sizeBytes - endBytes, endBytes: sizeBytes }])
    expect(ranges).toHaveLength(blockCount + 2)
    expect(ranges.every((range) => range.startBytes % 512 === 0 && range.endBytes <= sizeBytes)).toBe(true)
    const gaps = ranges.slice(1).map(({ startBytes }, index) => startBytes - ranges[index]!.endBytes)
    expect(Math.max(...gaps)).toBeLessThanOrEqual(sizeBytes / blockCount)
    expect(ranges.slice(1, -1).every((range) => range.endBytes - range.startBytes === blockBytes)).toBe(true)
  })
})
