import { constants, open, truncate } from 'node:fs/promises'
import { run } from '../../../appliance/run.ts'
import type { Disk } from '../../../server/api/machine.ts'
import { layoutSizeBytes, type BenchDisk, type Danger, type DiskSpec } from './danger-bench.ts'
import { bitLocker, by, bytesAt, drbd, luks, lvm, mounted, mountedOnce, noise, oldRaidMember, partitioned, raidMember, table, written, zfsMember } from './fill-disk.ts'

/*
 * What a disk may be that must not be lost. Made by the programs that make it where those run without help of a kernel that has it all, by hand where not.
 */

const mib = 2 ** 20
const ext4 = by('mke2fs', '-q', '-F', '-t', 'ext4', '-L', 'data')

const holds = (what: string, disk: DiskSpec, refusal: RegExp): Danger => ({ what: `holds ${what}`, disks: [disk], refusal })
const holding: Danger[] = [
  holds('an ext4 filesystem', { fill: ext4 }, /holds data \(ext4 filesystem "data" on \/dev\/loop\d+\)/),
  holds('a filesystem that was mounted', { fill: async (disk) => (await ext4(disk), mountedOnce(disk)) }, /last mounted at \/\S+ingot-mounted\S+ on \d{4}-\d\d-\d\d\)/),
  holds('an XFS filesystem', { sizeMiB: 320, fill: by('mkfs.xfs', '-q') }, /xfs filesystem/),
  holds('a btrfs filesystem', { sizeMiB: 128, fill: by('mkfs.btrfs', '--quiet') }, /btrfs filesystem/),
  holds('a FAT filesystem', { fill: by('mkfs.fat') }, /vfat filesystem/),
  holds('an exFAT filesystem', { fill: by('mkfs.exfat') }, /exfat filesystem/),
  holds('an F2FS filesystem', { sizeMiB: 64, fill: by('mkfs.f2fs', '-q') }, /f2fs filesystem/),
  holds('an NTFS filesystem', { fill: by('mkfs.ntfs', '--quiet', '--quick', '--force') }, /ntfs filesystem/),
  holds('a CD image', { fill: written((path, folder) => run('genisoimage', ['-quiet', '-volid', 'BACKUP', '-output', path, folder])) }, /iso9660 filesystem "BACKUP"/),
  holds('a squashfs', { fill: written((path, folder) => run('mksquashfs', [folder, path, '-quiet', '-no-progress'])) }, /squashfs filesystem/),
  holds('swap space only', { fill: by('mkswap', '--quiet') }, /swap space/),
  holds('an LVM physical volume', { fill: lvm }, /LVM physical volume/),
  holds('LUKS 1', { fill: luks('luks1') }, /LUKS encrypted volume/),
  holds('LUKS 2', { sizeMiB: 32, fill: luks('luks2') }, /LUKS encrypted volume/),
  holds('BitLocker', { fill: bitLocker }, /BitLocker encrypted volume/),
  holds('a member of a Linux RAID', { fill: raidMember }, /member of a Linux RAID "nas:0"/),
  holds('a member of an old Linux RAID, known by its end only', { fill: (disk) => oldRaidMember(disk, 16 * mib) }, /member of a Linux RAID/),
  holds('a member of an Intel RAID, known by its end only', { fill: bytesAt([16 * mib - 1024, 'Intel Raid ISM Cfg Sig. 1.3.00']) }, /member of an Intel RAID/),
  holds('a member of a ZFS pool', { sizeMiB: 64, fill: zfsMember }, /member of a ZFS pool "tank"/),
  holds('a bcache device', { fill: by('make-bcache', '-B') }, /bcache device/),
  holds('a DRBD device, known by its end only', { fill: drbd }, /DRBD device/),
  holds('a member of a VMFS volume', { fill: bytesAt([mib, Buffer.from([0x0d, 0xd0, 0x01, 0xc0])]) }, /member of a VMFS volume/),
  holds('a Ceph BlueStore device', { fill: bytesAt([0, 'bluestore block device\n00000000-0000-0000-0000-000000000000\n']) }, /Ceph BlueStore device/),
  holds('a partition table without partitions', { fill: table('label: gpt\n') }, /gpt partition table/),
  holds('an MBR with a partition in which nothing is', { fill: table('label: dos\n2048,,83\n') }, /dos partition table/),
  holds('a GPT of which only the backup is left', { fill: async (disk) => (await partitioned()(disk), bytesAt([0, Buffer.alloc(mib)])(disk)) }, /gpt partition table/),
  holds('a protective MBR of which the GPT is gone', { fill: async (disk) => (await table('label: gpt\n')(disk), bytesAt([512, Buffer.alloc(mib)], [15 * mib, Buffer.alloc(mib)])(disk)) }, /protective MBR without its GPT/),
  holds('a hybrid MBR', { fill: async (disk) => (await partitioned()(disk), run('sgdisk', ['--hybrid', '1', disk.device])) }, /gpt partition table/),
  holds('a filesystem in a partition', { fill: partitioned(ext4) }, /gpt partition table on \/dev\/loop\d+, ext4 filesystem "data" on \/dev\/loop\d+p1/),
  holds('an LVM physical volume in a partition', { fill: partitioned(lvm) }, /LVM physical volume on \/dev\/loop\d+p1/),
  holds('a boot program and nothing else', { fill: bytesAt([0, 'boot program']) }, /data of no known kind, at its start/),
  holds('two signs of which each denies the other', { fill: async (disk) => (await lvm(disk), bytesAt([0x438, Buffer.from([0x53, 0xef])])(disk), by('mkswap', '--quiet')(disk)) }, /swap space/),
  holds('a volume encrypted without a header', { fill: noise(0, 16 * mib) }, /data of no known kind, at its start/),
  holds('data whose start was wiped', { fill: noise(8 * mib, mib) }, /data of no known kind, at 8 MiB/),
  holds('one byte', { fill: bytesAt([9 * mib + 7, 'x']) }, /data of no known kind, at 9 MiB/),
  holds('a last sector that is not empty', { fill: bytesAt([16 * mib - 1, 'x']) }, /data of no known kind, at 16 MiB/),
  holds('data in the middle of more than is read whole', { sizeMiB: 20 * 1024, fill: noise(10_007 * mib, 21 * mib) }, /data of no known kind, at 100\d\d(\.\d+)? MiB/),
  holds('sectors of 4096 bytes and a filesystem', { sectorBytes: 4096, fill: ext4 }, /ext4 filesystem/),
  holds('a partition table in sectors of 4096 bytes', { sectorBytes: 4096, fill: table('label: gpt\n') }, /gpt partition table/),
  holds('a partition table written by a bridge that had other sectors', { sectorBytes: 4096, fill: bytesAt([512, 'EFI PART']) }, /data of no known kind, at 0? ?(its start|0 MiB)/),
  {
    what: 'is the second device of a btrfs filesystem',
    disks: [{ says: { transport: 'usb' } }, {}].map((disk, index) => ({ ...disk, sizeMiB: 128, ...(index === 1 ? { fill: (own, disks) => run('mkfs.btrfs', ['--quiet', '--data', 'raid1', '--metadata', 'raid1', disks[0]!.device, own.device]) } : {}) }) as DiskSpec),
    refusal: /btrfs filesystem/,
  },
]

const identity: Danger[] = [
  { what: 'is attached by USB', disks: [{ says: { transport: 'usb' } }], refusal: /is attached by USB/ },
  { what: 'is removable', disks: [{ says: { removable: true } }], refusal: /is removable/ },
  ...['iscsi', 'fc', 'nvme-tcp', 'firewire'].map((transport): Danger => ({ what: `is attached by ${transport}`, disks: [{ says: { transport } }], refusal: new RegExp(`is attached by ${transport}`) })),
  { what: 'is attached nobody knows how', disks: [{ says: { transport: '' } }], refusal: /is attached in a way that is not known/ },
  { what: 'is a USB disk that is named, and holds data', disks: [{ fill: ext4, says: { transport: 'usb' } }], rule: { serial: 'S1' }, refusal: /holds data/ },
  { what: 'is one of two equal ones', disks: [{}, {}], refusal: /^2 disks fit where one must/ },
  { what: 'is empty beside an equal one that holds data', disks: [{}, { fill: ext4 }], refusal: /^2 disks fit where one must/ },
  { what: 'is scratch beside an equal one that is empty', disks: [{ fill: ext4 }, {}], marks: ['S1'], refusal: /^2 disks fit where one must/ },
  { what: 'is seen on two paths by one World Wide Name', disks: [{ says: { wwn: 'naa.5' } }, { pathTo: 0, says: { wwn: 'naa.5' } }], refusal: /^no disk fits: .*several paths.*several paths/ },
  { what: 'is named by its World Wide Name and seen on two paths', disks: [{ says: { wwn: 'naa.5' } }, { pathTo: 0, says: { wwn: 'naa.5' } }], rule: { wwn: 'naa.5' }, refusal: /several paths.*several paths/ },
  { what: 'is seen on two paths by its serial number', disks: [{}, { pathTo: 0, says: { serial: 'S1' } }], rule: { serial: 'S1' }, marks: ['S1'], refusal: /several paths.*several paths/ },
  { what: 'is an NVMe disk with two controllers', disks: [{ says: { transport: 'nvme', paths: 2 } }], refusal: /is one of several paths/ },
  { what: 'has no serial number, and an empty mark', disks: [{ fill: ext4, says: { serial: '' } }], marks: [''], refusal: /has no serial number by which it could be marked/ },
  { what: 'has the serial number of another, so that a mark means both', disks: [{ fill: ext4, says: { serial: 'X', wwn: 'a' } }, { says: { serial: 'X', wwn: 'b' } }], rule: { wwn: 'a' }, marks: ['X'], refusal: /would not tell which is meant/ },
  { what: 'is marked in other case', disks: [{ fill: ext4, says: { serial: 's4EW' } }], marks: ['S4EW'], refusal: /s4EW is not marked as scratch/ },
  { what: 'is marked without the space in its serial number', disks: [{ fill: ext4, says: { serial: 'S 1' } }], marks: ['S1'], refusal: /S 1 is not marked as scratch/ },
  { what: 'is not the one that is marked', disks: [{ fill: ext4 }], marks: ['S9'], refusal: /S1 is not marked as scratch for this machine/ },
  { what: 'is not the one that the recipe names', disks: [{}], rule: { serial: 'S9' }, refusal: /serial is not S9/ },
  { what: 'is tiny', disks: [{ sizeMiB: 2 }], refusal: /is smaller than 8 MiB/ },
  { what: 'is a sector short of the rule', disks: [{ sizeMiB: layoutSizeBytes / mib, lessBytes: 512 }], refusal: /is smaller than 8 MiB/ },
  { what: 'is larger than the rule allows', disks: [{ sizeMiB: 64 }], rule: { maxSizeBytes: 32 * mib }, refusal: /is larger than 32 MiB/ },
  { what: 'has no medium in it', disks: [{ sizeMiB: 0 }], rule: {}, refusal: /has no medium in it/ },
  {
    what: 'has other sectors than the image',
    disks: [{ sectorBytes: 4096 }],
    image: { name: 'web', version: 'web-1', architecture: 'amd64', firmware: ['bios'], sectorBytes: 512 },
    refusal: /expected sectors of 512 bytes, for which web:web-1 was made/,
  },
]

/** All of these are marked as scratch: no mark allows them. */
const state: Omit<Danger, 'marks'>[] = [
  { what: 'is mounted', disks: [{ fill: ext4 }], between: async ([disk]) => mounted(disk!.device), refusal: /is mounted at \/\S+/ },
  { what: 'is mounted in part', disks: [{ fill: partitioned(ext4) }], between: async ([disk]) => mounted(`${disk!.device}p1`), refusal: /is mounted at \/\S+/ },
  { what: 'is swapped to', disks: [{ fill: by('mkswap', '--quiet') }], between: async ([disk]) => (await run('swapon', [disk!.device]), () => run('swapoff', [disk!.device])), refusal: /is swap space in use/ },
  { what: 'is taken by another program', disks: [{}], between: async ([disk]) => taken(disk!), refusal: /is in use/ },
  { what: 'was made read-only', disks: [{ fill: ext4 }], between: async ([disk]) => (await run('blockdev', ['--setro', disk!.device]), () => run('blockdev', ['--setrw', disk!.device])), refusal: /is read-only/ },
  { what: 'cannot be read any more', disks: [{ fill: ext4 }], between: ([disk]) => truncate(disk!.file, 0), refusal: /cannot be read \(EIO/ },
  { what: 'cannot be read in its middle', disks: [{}], between: ([disk]) => truncate(disk!.file, 8 * mib), refusal: /cannot be read \(EIO/ },
]

async function taken({ device }: BenchDisk): Promise<() => Promise<void>> {
  const handle = await open(device, constants.O_RDWR | constants.O_EXCL)
  return () => handle.close()
}

const renamed = ([one, other]: Disk[]): Disk[] => [{ ...one!, device: other!.device }, { ...other!, device: one!.device }]
const change: Danger[] = [
  { what: 'was filled since the machine told of it', disks: [{}], between: async ([disk]) => void (await ext4(disk!)), refusal: /holds data \(ext4 filesystem/ },
  { what: 'has another serial number than the machine told', disks: [{}], now: ([disk]) => [{ ...disk!, serial: 'S2' }], refusal: /its serial is S2, expected that of the disk that the first computer was told of, S1/ },
  { what: 'has another serial number, that is marked too', disks: [{ fill: ext4 }], marks: ['S1', 'S2'], now: ([disk]) => [{ ...disk!, serial: 'S2' }], refusal: /its serial is S2/ },
  { what: 'has another size than the machine told', disks: [{}], now: ([disk]) => [{ ...disk!, sizeBytes: 32 * mib }], refusal: /its sizeBytes is 33554432/ },
  { what: 'has the name of another since the disks swapped names', disks: [{}, { fill: ext4 }], rule: { serial: 'S1' }, now: renamed, refusal: /its device is \/dev\/loop\d+, expected that of the disk that the first computer was told of/ },
  { what: 'has another beside it since', disks: [{}], now: ([disk]) => [disk!, { ...disk!, device: '/dev/loop99', serial: 'S2' }], refusal: /^2 disks fit where one must/ },
  { what: 'is gone', disks: [{}], now: () => [], refusal: /got a machine without disks/ },
  { what: 'has turned out to be one of several paths', disks: [{ says: { wwn: 'naa.5' } }], now: ([disk]) => [disk!, { ...disk!, device: '/dev/loop99' }], refusal: /several paths/ },
]

export const dangers: readonly Danger[] = [...holding, ...identity, ...state.map((danger) => ({ ...danger, marks: ['S1'] })), ...change]
