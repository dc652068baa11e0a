import { expect, test } from 'vitest'
import { kernelVersions, renderGrubCfg, renderGrubDefaults } from '../../../appliance/steps/render-grub.ts'
import { renderFstab } from '../../../appliance/steps/render-fstab.ts'
import { renderSfdisk } from '../../../appliance/steps/render-sfdisk.ts'
import { parseOsRelease } from '../../../appliance/steps/parse-os-release.ts'
import { planLayout } from '../../../images/layout.ts'

const layout = planLayout('debian-12', 4 * 1024 ** 3, [
  { name: 'bios', type: 'bios-boot', size: '1MiB' },
  { name: 'root', type: 'linux-root', filesystem: 'ext4', mount: '/', size: 'rest' },
  { name: 'esp', type: 'esp', filesystem: 'vfat', mount: '/boot/efi', size: '64MiB' },
])
if ('expected' in layout) throw new Error(layout.expected)
const step = { kind: 'partition', disk: {}, ...layout } as const

test('the partition table is written in the sectors of the disk', () => {
  expect(renderSfdisk(step, 512)).toMatchInlineSnapshot(`
    "label: gpt
    label-id: 941CFF2B-6CE4-870F-9484-AB8EBF8DD04A
    unit: sectors
    first-lba: 2048
    last-lba: 8388574

    start=2048, size=2048, type=21686148-6449-6E6F-744E-656564454649, uuid=7B91ECF6-3825-8A55-AAF4-D292F84D49BB, name="bios"
    start=4096, size=8251392, type=4F68BCE3-E8CD-4DB1-96E7-FBCAF984B709, uuid=5E470425-34C5-85BF-8797-2424212F3F78, name="root"
    start=8255488, size=131072, type=C12A7328-F81F-11D2-BA4B-00A0C93EC93B, uuid=B831C743-B6E9-8E7D-948D-0D1AA1A11D52, name="esp"
    "
  `)
  expect(renderSfdisk(step, 4096)).toContain('first-lba: 256\nlast-lba: 1048570\n\nstart=256, size=256,')
})

test('fstab lists what is mounted on something after it', () => {
  expect(renderFstab(layout.partitions)).toMatchInlineSnapshot(`
    "UUID=f060f46a-3545-8627-a72b-4ce2a4967507 / ext4 errors=remount-ro 0 1
    UUID=C126-27FA /boot/efi vfat umask=0077 0 2
    "
  `)
})

test('fstab asks for no check at boot where there is none', () => {
  const partition = { name: 'p', typeGuid: '', startBytes: 0, sizeBytes: 0, partitionGuid: '' }
  const partitions = [
    { ...partition, filesystem: 'xfs' as const, filesystemUuid: 'R', mountPoint: '/' },
    { ...partition, filesystem: 'btrfs' as const, filesystemUuid: 'S', mountPoint: '/srv' },
  ]
  expect(renderFstab(partitions)).toBe('UUID=R / xfs defaults 0 0\nUUID=S /srv btrfs defaults 0 0\n')
})

test('kernels are sorted newest first by the numbers in their names, and those without an initrd do not count', () => {
  const files = ['vmlinuz-6.1.0-9-amd64', 'initrd.img-6.1.0-9-amd64', 'vmlinuz-6.1.0-38-amd64', 'initrd.img-6.1.0-38-amd64', 'vmlinuz-6.12.1-amd64', 'grub']
  expect(kernelVersions(files)).toEqual(['6.1.0-38-amd64', '6.1.0-9-amd64'])
})

test('the boot menu finds /boot by its filesystem, and the newest kernel comes first', () => {
  const menu = { bootUuid: 'B', bootPath: '/boot', bootFilesystem: 'ext4' as const, rootUuid: 'R', kernels: ['2-amd64', '1-amd64'], kernelArguments: 'console=ttyS0,115200' }
  expect(renderGrubCfg(menu)).toMatchInlineSnapshot(`
    "# Written when this image was made. update-grub replaces it, by the settings in /etc/default/grub.d.
    set default=0
    set timeout=1
    insmod part_gpt
    insmod ext2
    search --no-floppy --fs-uuid --set=root B
    menuentry 'Debian GNU/Linux, with Linux 2-amd64' {
      linux /boot/vmlinuz-2-amd64 root=UUID=R ro console=ttyS0,115200
      initrd /boot/initrd.img-2-amd64
    }
    menuentry 'Debian GNU/Linux, with Linux 1-amd64' {
      linux /boot/vmlinuz-1-amd64 root=UUID=R ro console=ttyS0,115200
      initrd /boot/initrd.img-1-amd64
    }
    "
  `)
  expect(renderGrubCfg({ ...menu, bootFilesystem: 'btrfs' })).toContain('insmod btrfs\nsearch')
  expect(renderGrubCfg({ ...menu, bootPath: '' })).toContain('  linux /vmlinuz-2-amd64 root=UUID=R ro console=ttyS0,115200\n')
})

test('update-grub later finds the same kernel arguments', () => {
  expect(renderGrubDefaults('console=ttyS0,115200')).toContain('GRUB_CMDLINE_LINUX="console=ttyS0,115200"\n')
})

test('os-release is read with and without quotes', () => {
  expect(parseOsRelease('ID=debian\nPRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\nVERSION_CODENAME=bookworm\n# x\n')).toEqual({
    ID: 'debian',
    PRETTY_NAME: 'Debian GNU/Linux 12 (bookworm)',
    VERSION_CODENAME: 'bookworm',
  })
})
