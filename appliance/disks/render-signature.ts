/** A sign of something on a device, as `wipefs --json` tells it. */
export interface Signature {
  /** As libblkid calls it, for example `ext4`, `LVM2_member` or `gpt`. */
  type: string
  label: string | null
  /** `filesystem`, `partition-table`, `raid`, `crypto` or `other`. */
  usage: string | null
  /** Where on the device, for example `0x438`. */
  offset: string
}

/** What people call what libblkid calls otherwise (libblkid/src/superblocks of util-linux 2.38). */
const names: Readonly<Record<string, string>> = {
  LVM1_member: 'LVM physical volume',
  LVM2_member: 'LVM physical volume',
  linux_raid_member: 'member of a Linux RAID',
  isw_raid_member: 'member of an Intel RAID',
  ddf_raid_member: 'member of a DDF RAID',
  crypto_LUKS: 'LUKS encrypted volume',
  BitLocker: 'BitLocker encrypted volume',
  FVE: 'BitLocker encrypted volume',
  zfs_member: 'member of a ZFS pool',
  bcache: 'bcache device',
  drbd: 'DRBD device',
  VMFS: 'VMFS filesystem',
  VMFS_volume_member: 'member of a VMFS volume',
  ceph_bluestore: 'Ceph BlueStore device',
  swap: 'swap space',
  swsuspend: 'hibernated system in swap space',
  PMBR: 'protective MBR without its GPT',
}

/** For example `ext4 filesystem "data" on /dev/sda1`, `gpt partition table on /dev/sda`, `LVM physical volume on /dev/sdb`. */
export function renderSignature({ type, label, usage }: Signature, device: string): string {
  const name = names[type] ?? (usage === 'partition-table' ? `${type} partition table` : usage === 'filesystem' ? `${type} filesystem` : type.replaceAll('_', ' '))
  // A label is whatever someone wrote there.
  const shown = (label ?? '').replaceAll(/\p{Cc}/gu, '').trim()
  return `${name}${shown === '' ? '' : ` "${shown}"`} on ${device}`
}
