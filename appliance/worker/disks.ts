import { readdir, readFile, realpath } from 'node:fs/promises'
import { join } from 'node:path'
import type { Disk } from '../../server/api/machine.ts'
import type { Run } from '../run.ts'

/*
 * Disks straight from sysfs: the appliance has no udev database, and what a job may write hangs on these fields (F1), so they are read
 * where the kernel puts them (Documentation/ABI/testing/sysfs-block and the drivers named below).
 */

const unwanted = /^(loop|ram|zram|sr|fd|dm-|md|nbd|mtdblock)/

async function attribute(folder: string, ...names: string[]): Promise<string> {
  for (const name of names) {
    try {
      const text = (await readFile(join(folder, name), 'latin1')).replaceAll('\0', '').trim()
      if (text !== '') return text
    } catch {
      // An attribute that this driver does not have.
    }
  }
  return ''
}

/** Serial of a SCSI or ATA disk: unit serial number VPD page (SPC-5 7.7.20), four bytes of header, then text. */
async function vpdSerial(folder: string): Promise<string> {
  try {
    return (await readFile(join(folder, 'device/vpd_pg80'))).subarray(4).toString('latin1').replaceAll('\0', '').trim()
  } catch {
    return ''
  }
}

/** How the disk is attached, from its place in the device tree. */
export function transportOf(devicePath: string, name: string): string {
  if (devicePath.includes('/usb')) return 'usb'
  if (name.startsWith('nvme')) return 'nvme'
  if (name.startsWith('mmcblk')) return 'mmc'
  if (name.startsWith('vd')) return 'virtio'
  if (/\/ata\d+\//.test(devicePath)) return 'sata'
  if (/\/(end_device|sas_|expander)/.test(devicePath)) return 'sas'
  if (/\/host\d+\//.test(devicePath)) return 'scsi'
  return ''
}

interface LsblkDevice {
  path: string
  type: string
  fstype: string | null
  label: string | null
  pttype: string | null
  children?: LsblkDevice[]
}

/** What lies on a disk in words, for example `gpt partition table`, `ext4 filesystem "data" on /dev/sda1`. */
export function contentsOf(device: LsblkDevice): string[] {
  const own = device.fstype === null ? [] : [`${device.fstype} filesystem${device.label === null ? '' : ` "${device.label}"`} on ${device.path}`]
  const table = device.type === 'disk' && device.pttype !== null ? [`${device.pttype} partition table`] : []
  return [...table, ...own, ...(device.children ?? []).flatMap(contentsOf)]
}

/** Every disk of this machine, in the order of their device names. `sysDirectory` is `/sys` but in tests. */
export async function readDisks(run: Run, sysDirectory = '/sys'): Promise<Disk[]> {
  const names = (await readdir(join(sysDirectory, 'block'))).filter((name) => !unwanted.test(name)).toSorted()
  const listed = JSON.parse(await run('lsblk', ['--json', '--paths', '--output', 'PATH,TYPE,FSTYPE,LABEL,PTTYPE'])) as { blockdevices: LsblkDevice[] }
  return Promise.all(
    names.map(async (name) => {
      const folder = join(sysDirectory, 'block', name)
      const device = `/dev/${name}`
      const found = listed.blockdevices.find((each) => each.path === device)
      return {
        device,
        // The kernel counts in 512 bytes here whatever the sector size.
        sizeBytes: Number(await attribute(folder, 'size')) * 512,
        logicalSectorBytes: Number((await attribute(folder, 'queue/logical_block_size')) || 512),
        model: await attribute(folder, 'device/model'),
        serial: (await attribute(folder, 'serial', 'device/serial')) || (await vpdSerial(folder)),
        wwn: await attribute(folder, 'wwid', 'device/wwid'),
        transport: transportOf(await realpath(folder), name),
        removable: (await attribute(folder, 'removable')) === '1',
        readOnly: (await attribute(folder, 'ro')) === '1',
        contents: found === undefined ? [] : contentsOf(found),
      }
    }),
  )
}
