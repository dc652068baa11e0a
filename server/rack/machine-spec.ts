import type { Accelerator } from './accelerator.ts'

export const firmwares = ['bios', 'uefi'] as const
export type Firmware = (typeof firmwares)[number]

/** Network cards that QEMU has, that its firmware boots from and that Debian's kernel drives. */
export const nicModels = ['virtio-net-pci', 'e1000', 'e1000e', 'rtl8139', 'vmxnet3'] as const
export type NicModel = (typeof nicModels)[number]

export const diskBuses = ['virtio', 'nvme', 'ahci', 'scsi'] as const
export type DiskBus = (typeof diskBuses)[number]

export interface DiskSpec {
  path: string
  format: 'raw' | 'qcow2'
  bus: DiskBus
  /** What the disk says of itself, at most 20 characters (virtio-blk, VIRTIO_BLK_ID_BYTES). */
  serial: string
}

/** One machine of the rack: what is in its case and how it starts. */
export interface MachineSpec {
  /** Short name, for example `m1`; also its tap device and its SMBIOS serial number. */
  name: string
  /** For example `52:54:00:77:00:01`. */
  mac: string
  firmware: Firmware
  /** UEFI only: Secure Boot is on, with Microsoft's keys, as on a machine from the shop. Default off. */
  secureBoot?: boolean
  nic: NicModel
  /**
   * Default: a cable to the rack's bridge. `forward`: a network of its own that leads nowhere, not even to this host; these TCP ports of the machine are
   * reached by ports of this host's loopback.
   */
  network?: { forward: readonly number[] }
  disks: readonly DiskSpec[]
  memoryMiB: number
  cpus: number
  /** What the firmware boots from first; `disk` gives it nothing else to boot from. */
  boot: 'network' | 'disk'
  accelerator: Accelerator
  /** OEM strings (SMBIOS type 11), by which systemd takes credentials: systemd.system-credentials(7). */
  smbiosStrings?: readonly string[]
}

/** A machine's id in the job list: its MAC with dashes, for example `52-54-00-77-00-01`. */
export const machineId = (mac: string): string => mac.toLowerCase().replaceAll(':', '-')
