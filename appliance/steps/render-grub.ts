import type { Filesystem } from '../../images/plan.ts'

/** Kernels of an installed system by their files in `/boot`, newest first, for example `['6.1.0-38-amd64']`. */
export const kernelVersions = (bootFiles: readonly string[]): string[] =>
  bootFiles
    .flatMap((name) => /^vmlinuz-(.+)$/.exec(name)?.[1] ?? [])
    .filter((version) => bootFiles.includes(`initrd.img-${version}`))
    .sort((a, b) => b.localeCompare(a, 'en', { numeric: true }))

/** The module of GRUB that reads each filesystem; Debian's signed GRUB 2.06 has all four built in. */
const grubModules: Record<Filesystem, string> = { ext4: 'ext2', xfs: 'xfs', btrfs: 'btrfs', vfat: 'fat' }

export interface GrubMenu {
  /** UUID of the filesystem that holds `/boot`, and the path of `/boot` there: `/boot`, or empty when it has a partition of its own. */
  bootUuid: string
  bootPath: string
  bootFilesystem: Filesystem
  rootUuid: string
  /** Newest first, which is what boots. */
  kernels: readonly string[]
  kernelArguments: string
}

/**
 * `/boot/grub/grub.cfg` (GRUB manual, chapter 6), written without grub-mkconfig, which takes 17 s on a slow machine. Only modules are used that
 * Debian's signed GRUB has built in, because it loads no others under Secure Boot.
 */
export function renderGrubCfg({ bootUuid, bootPath, bootFilesystem, rootUuid, kernels, kernelArguments }: GrubMenu): string {
  const entries = kernels.map((version) =>
    [
      `menuentry 'Debian GNU/Linux, with Linux ${version}' {`,
      `  linux ${bootPath}/vmlinuz-${version} root=UUID=${rootUuid} ro ${kernelArguments}`.trimEnd(),
      `  initrd ${bootPath}/initrd.img-${version}`,
      '}',
    ].join('\n'),
  )
  return [
    '# Written when this image was made. update-grub replaces it, by the settings in /etc/default/grub.d.',
    'set default=0',
    'set timeout=1',
    'insmod part_gpt',
    `insmod ${grubModules[bootFilesystem]}`,
    `search --no-floppy --fs-uuid --set=root ${bootUuid}`,
    ...entries,
    '',
  ].join('\n')
}

/** `/etc/default/grub.d/ingot.cfg`: what update-grub must know to write the same menu later. */
export const renderGrubDefaults = (kernelArguments: string): string =>
  ['# From the recipe of this image.', `GRUB_CMDLINE_LINUX="${kernelArguments}"`, 'GRUB_TIMEOUT=1', 'GRUB_DISABLE_OS_PROBER=true', ''].join('\n')
