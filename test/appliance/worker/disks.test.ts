import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { run, type Run } from '../../../appliance/run.ts'
import { contentsOf, readDisks } from '../../../appliance/worker/disks.ts'

let sys: string
beforeEach(async () => {
  sys = await mkdtemp(join(tmpdir(), 'ingot-sys-'))
  await mkdir(join(sys, 'block'), { recursive: true })
})
afterEach(() => rm(sys, { recursive: true }))

/** A disk as the kernel shows it: a folder in the device tree, linked from `block/`. */
async function addDisk(name: string, place: string, attributes: Record<string, string | Buffer>): Promise<void> {
  const folder = join(sys, 'devices', place, 'block', name)
  for (const [path, value] of Object.entries(attributes)) {
    await mkdir(dirname(join(folder, path)), { recursive: true })
    await writeFile(join(folder, path), value)
  }
  await symlink(folder, join(sys, 'block', name))
}
const lsblk = (devices: object[]): Run => async () => JSON.stringify({ blockdevices: devices })

test('each kind of disk is known by serial, WWN and how it is attached', async () => {
  const size = { size: '1000\n', removable: '0\n', ro: '0\n', 'queue/logical_block_size': '512\n' }
  await addDisk('nvme0n1', 'pci0/nvme/nvme0', { ...size, 'queue/logical_block_size': '4096\n', wwid: 'eui.0025\n', 'device/model': 'SAMSUNG MZ   \n', 'device/serial': 'S4EW  \n' })
  await addDisk('sda', 'pci0/ata1/host0/target0:0:0', { ...size, 'device/model': 'QEMU HARDDISK', 'device/wwid': 't10.ATA', 'device/vpd_pg80': Buffer.from('\0\x80\0\x05 QM01', 'latin1') })
  await addDisk('sdb', 'pci0/usb1/1-1/host1/target1:0:0', { ...size, removable: '1\n', 'device/model': 'Stick' })
  await addDisk('sdc', 'pci0/host2/port-2:0/end_device-2:0/target2:0:0', { ...size, ro: '1\n' })
  await addDisk('vda', 'pci0/virtio2', { ...size, serial: 'ingot-m1' })
  await addDisk('loop0', 'virtual', size)
  expect((await readDisks(lsblk([]), sys)).map(({ device, transport, serial, wwn, model, sizeBytes, logicalSectorBytes, removable, readOnly }) => [device, transport, serial, wwn, model, sizeBytes, logicalSectorBytes, removable, readOnly])).toEqual([
    ['/dev/nvme0n1', 'nvme', 'S4EW', 'eui.0025', 'SAMSUNG MZ', 512_000, 4096, false, false],
    ['/dev/sda', 'sata', 'QM01', 't10.ATA', 'QEMU HARDDISK', 512_000, 512, false, false],
    ['/dev/sdb', 'usb', '', '', 'Stick', 512_000, 512, true, false],
    ['/dev/sdc', 'sas', '', '', '', 512_000, 512, false, true],
    ['/dev/vda', 'virtio', 'ingot-m1', '', '', 512_000, 512, false, false],
  ])
})

test('what lies on a disk is told in words, partitions included', () => {
  expect(
    contentsOf({
      path: '/dev/sda', type: 'disk', fstype: null, label: null, pttype: 'gpt',
      children: [{ path: '/dev/sda1', type: 'part', fstype: 'ext4', label: 'data', pttype: 'gpt' }],
    }),
  ).toEqual(['gpt partition table', 'ext4 filesystem "data" on /dev/sda1'])
  expect(contentsOf({ path: '/dev/sdb', type: 'disk', fstype: 'LVM2_member', label: null, pttype: null })).toEqual(['LVM2_member filesystem on /dev/sdb'])
})

test('the disks of this host are read without an error', async () => {
  for (const disk of await readDisks(run)) expect(disk.device).toMatch(/^\/dev\//)
})
