import { readFile, readdir, realpath } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { Disk } from '../../server/api/machine.ts'

/*
 * What a disk says of itself, straight from sysfs: the appliance has no udev database, and what a job may write hangs on these fields (F1), so they are read
 * where the kernel puts them (Documentation/ABI/testing/sysfs-block and the drivers named below).
 */

/** The first of these attributes that says something; what a device puts into them comes as one line of printable text. */
async function attribute(folder: string, ...names: string[]): Promise<string> {
  for (const name of names) {
    try {
      const text = printable(await readFile(join(folder, name), 'latin1'))
      if (text !== '') return text
    } catch {
      // An attribute that this driver does not have.
    }
  }
  return ''
}

const printable = (text: string): string => text.replaceAll(/[\0-\x1f\x7f-\x9f]/g, '').trim()

/** Serial of a SCSI or ATA disk: unit serial number VPD page (SPC-5 7.7.20), four bytes of header, then text. */
async function vpdSerial(folder: string): Promise<string> {
  try {
    return printable((await readFile(join(folder, 'device/vpd_pg80'))).subarray(4).toString('latin1'))
  } catch {
    return ''
  }
}

/** Identity of a disk from its folder, for example `/sys/block/sda`. */
export async function readIdentity(name: string, folder: string): Promise<Omit<Disk, 'contents'>> {
  const devicePath = await realpath(folder)
  const { paths, transport } = name.startsWith('nvme') ? await nvmePaths(folder) : { paths: 1, transport: transportOf(devicePath, name) }
  const isCard = name.startsWith('mmcblk') && (await attribute(folder, 'device/type')) === 'SD'
  return {
    device: `/dev/${name}`,
    // The kernel counts in 512 bytes here whatever the sector size.
    sizeBytes: Number(await attribute(folder, 'size')) * 512,
    logicalSectorBytes: Number((await attribute(folder, 'queue/logical_block_size')) || 512),
    model: await attribute(folder, 'device/model', 'device/name'),
    serial: (await attribute(folder, 'serial', 'device/serial')) || (await vpdSerial(folder)) || (transport === 'usb' ? await usbSerial(devicePath) : ''),
    wwn: await attribute(folder, 'wwid', 'device/wwid'),
    transport,
    removable: isCard || (await attribute(folder, 'removable')) === '1' || (await isAtOuterPort(devicePath)),
    readOnly: (await attribute(folder, 'ro')) === '1',
    ...(paths > 1 ? { paths } : {}),
    // It can be written in one order only (Documentation/ABI/stable/sysfs-block, queue/zoned).
    ...((await attribute(folder, 'queue/zoned')) === 'host-managed' ? { unfit: ['is a zoned disk'] } : {}),
  }
}

/** How a disk is attached, from its place in the device tree. */
export function transportOf(devicePath: string, name: string): string {
  if (devicePath.includes('/usb')) return 'usb'
  if (/\/fw\d/.test(devicePath)) return 'firewire'
  if (name.startsWith('mmcblk')) return 'mmc'
  if (name.startsWith('xvd')) return 'xen'
  if (name.startsWith('vd')) return 'virtio'
  // Of storage networks: a session of iSCSI (scsi_transport_iscsi), a remote port of Fibre Channel (scsi_transport_fc) or of SRP.
  if (/\/session\d+\//.test(devicePath)) return 'iscsi'
  if (/\/rport-\d/.test(devicePath)) return 'fc'
  if (/\/(end_device|sas_|expander)/.test(devicePath)) return 'sas'
  if (/\/ata\d+\//.test(devicePath)) return 'sata'
  if (/\/host\d+\//.test(devicePath)) return 'scsi'
  return ''
}

/** The controllers by which an NVMe disk is reached: one, or those of its subsystem (drivers/nvme/host/multipath.c). `nvme` is what sits on this machine's PCI. */
async function nvmePaths(folder: string): Promise<{ paths: number; transport: string }> {
  const device = join(folder, 'device')
  const controllers = (await readdir(device).catch(() => [])).filter((entry) => /^nvme\d+$/.test(entry))
  const transports = await Promise.all((controllers.length === 0 ? [device] : controllers.map((each) => join(device, each))).map((each) => attribute(each, 'transport')))
  const foreign = transports.find((transport) => transport !== '' && transport !== 'pcie')
  return { paths: Math.max(1, controllers.length), transport: foreign === undefined ? 'nvme' : `nvme-${foreign}` }
}

/** Whether something on the way to the disk sits at a port of the machine's outside, such as Thunderbolt (Documentation/ABI/testing/sysfs-devices-removable). */
async function isAtOuterPort(devicePath: string): Promise<boolean> {
  for (let at = dirname(devicePath); at !== '/' && at !== '.'; at = dirname(at)) if ((await attribute(at, 'removable')) === 'removable') return true
  return false
}

/** A bridge to USB tells no serial number of its own disk often enough: that of the USB device stands on the way to it. */
async function usbSerial(devicePath: string): Promise<string> {
  for (let at = dirname(devicePath); at.includes('/usb'); at = dirname(at)) {
    const serial = await attribute(at, 'serial')
    if (serial !== '') return serial
  }
  return ''
}
