import { randomBytes } from 'node:crypto'
import { mkdir, mkdtemp, open, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { run } from '../../../appliance/run.ts'
import type { TargetDisk } from '../../../appliance/steps/context.ts'
import { makeOldDisk } from './old-disk.ts'

export const mib = 1024 * 1024
const espGuid = 'C12A7328-F81F-11D2-BA4B-00A0C93EC93B'
const rootGuid = '4F68BCE3-E8CD-4DB1-96E7-FBCAF984B709'
const biosBootGuid = '21686148-6449-6E6F-744E-656564454649'

/** A real disk on loop devices, with everything on it that an installed machine has, and old data wherever nothing was written. */
export interface GptDisk {
  folder: string
  /** The file behind the disk. */
  file: string
  /** Where the root file system is mounted. */
  root: string
  target: TargetDisk
  remove(): Promise<void>
}

/** Gives a part of a file a loop device of its own, as a partition has one; kernels without loop partitions do not matter this way. */
async function attach(file: string, startBytes: number, sizeBytes: number): Promise<string> {
  return run('losetup', ['--find', '--show', '--offset', String(startBytes), '--sizelimit', String(sizeBytes), file])
}

const mkfs = {
  ext4: ['mkfs.ext4', '-q', '-E', 'nodiscard,lazy_itable_init=0,lazy_journal_init=0'],
  xfs: ['mkfs.xfs', '-q', '-f', '-K'],
  btrfs: ['mkfs.btrfs', '-q', '-f', '-K'],
} as const satisfies Record<string, readonly [string, ...string[]]>

/**
 * Makes a disk of `diskSizeBytes` whose layout ends at `layoutSizeBytes`: BIOS boot, EFI system and root partition, files in both file systems, some of
 * them deleted again, and boot code in front. Needs root; `remove` takes everything away again, whatever state it is in.
 */
export async function makeGptDisk(options: { layoutSizeBytes?: number; diskSizeBytes?: number; espFatBits?: number; filesystem?: keyof typeof mkfs } = {}): Promise<GptDisk> {
  const { layoutSizeBytes = 160 * mib, diskSizeBytes = layoutSizeBytes, espFatBits = 32, filesystem = 'ext4' } = options
  const folder = await mkdtemp(join(tmpdir(), 'ingot-disk-'))
  const [file, root] = [join(folder, 'disk.raw'), join(folder, 'target')]
  const devices: string[] = []
  const remove = async () => {
    await run('umount', ['--recursive', root]).catch(() => '')
    for (const device of devices) await run('losetup', ['--detach', device])
    await rm(folder, { recursive: true })
  }
  try {
    await makeOldDisk(file, diskSizeBytes)
    const [biosStart, espStart, espBytes] = [mib, 2 * mib, espFatBits === 12 ? 4 * mib : 40 * mib]
    const rootStart = espStart + espBytes
    const rootBytes = layoutSizeBytes - mib - rootStart
    const partitions = [
      { name: 'bios', typeGuid: biosBootGuid, startBytes: biosStart, sizeBytes: mib },
      { name: 'efi', typeGuid: espGuid, startBytes: espStart, sizeBytes: espBytes, filesystem: 'vfat' as const, mountPoint: '/boot/efi' },
      { name: 'root', typeGuid: rootGuid, startBytes: rootStart, sizeBytes: rootBytes, filesystem, mountPoint: '/' },
    ]
    const table = partitions.map(({ name, typeGuid, startBytes, sizeBytes }) => `start=${startBytes / 512},size=${sizeBytes / 512},type=${typeGuid},name=${name}`)
    await run('sfdisk', ['--quiet', '--wipe', 'never', '--wipe-partitions', 'never', file], { input: ['label: gpt', ...table].join('\n') })
    const disk = await open(file, 'r+')
    await disk.write(randomBytes(440), 0, 440, 0)
    await disk.close()

    devices.push(await run('losetup', ['--find', '--show', file]))
    for (const { startBytes, sizeBytes } of partitions) devices.push(await attach(file, startBytes, sizeBytes))
    const [device = '', , esp = '', rootDevice = ''] = devices
    await run('mkfs.vfat', ['-F', String(espFatBits), esp])
    await writeFile(join(folder, 'BOOTX64.EFI'), randomBytes(espFatBits === 12 ? mib : 3 * mib))
    await run('mmd', ['-i', esp, '::EFI', '::EFI/BOOT'])
    await run('mcopy', ['-i', esp, join(folder, 'BOOTX64.EFI'), '::EFI/BOOT/BOOTX64.EFI'])
    const [program, ...args] = mkfs[filesystem]
    await run(program, [...args, rootDevice])
    await mkdir(root)
    await run('mount', [rootDevice, root])
    await writeFile(join(root, 'deleted'), randomBytes(16 * mib))
    await run('sync', ['--file-system', root])
    for (let index = 0; index < 200; index++) await writeFile(join(root, `file-${index}`), `line ${index}\n`.repeat(index * 40))
    await writeFile(join(root, 'random'), randomBytes(6 * mib))
    await mkdir(join(root, 'var/lib/dpkg'), { recursive: true })
    await writeFile(join(root, 'var/lib/dpkg/status'), 'Package: nginx\nStatus: install ok installed\nVersion: 1.22.1-9\n\n')
    await rm(join(root, 'deleted'))
    const target = {
      device,
      layoutSizeBytes,
      partitions: partitions.map((partition, index) => ({ ...partition, partitionGuid: '', device: devices[index + 1] ?? '' })),
    }
    return { folder, file, root, target, remove }
  } catch (error) {
    await remove()
    throw error
  }
}
