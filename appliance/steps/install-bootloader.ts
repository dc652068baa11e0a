import { mkdir, readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { StepOf } from '../../images/plan.ts'
import { withChroot } from './chroot.ts'
import type { StepExecutor, TargetDisk } from './context.ts'
import { byDepth } from './mount-target.ts'
import { kernelVersions, renderGrubCfg, renderGrubDefaults, type GrubMenu } from './render-grub.ts'

/**
 * Makes the disk boot on machines that have never seen it. BIOS: GRUB in the BIOS boot partition. UEFI: Microsoft-signed shim and Debian-signed GRUB, at
 * EFI/debian and at the path that firmware tries without a boot entry, EFI/BOOT/BOOTX64.EFI (UEFI 2.10, 3.5.1.1); NVRAM is left alone.
 */
export const installBootloader: StepExecutor<'install-bootloader'> = async (step, context) => {
  const { root, disk } = context
  if (disk === undefined) throw new Error('expected a partition step before the boot loader, got none')
  const kernels = kernelVersions(await readdir(join(root, 'boot')))
  if (kernels.length === 0) throw new Error('expected a kernel with its initrd in /boot of the installed system, got none')

  await mkdir(join(root, 'etc/default/grub.d'), { recursive: true })
  await writeFile(join(root, 'etc/default/grub.d/ingot.cfg'), renderGrubDefaults(step.kernelArguments))
  // The sign by which the package grub-cloud-amd64 installs both boot loaders anew when GRUB is upgraded; not executable, so update-grub passes it over.
  await writeFile(join(root, 'etc/grub.d/enable_cloud'), '', { mode: 0o644 })
  await withChroot(context, async (chroot) => {
    for (const args of grubInstallArguments(step, disk)) {
      context.progress({ detail: `grub-install ${args[0]}` })
      await chroot('grub-install', args)
    }
  })
  await writeFile(join(root, 'boot/grub/grub.cfg'), renderGrubCfg({ ...bootFilesystems(disk), kernels, kernelArguments: step.kernelArguments }))
}

const grubInstallArguments = ({ firmware }: StepOf<'install-bootloader'>, { device }: TargetDisk): string[][] => [
  ...(firmware.includes('bios') ? [['--target=i386-pc', '--locales=', device]] : []),
  ...(firmware.includes('uefi')
    ? [['--target=x86_64-efi', '--locales=', '--efi-directory=/boot/efi', '--no-nvram', '--uefi-secure-boot', '--force-extra-removable']]
    : []),
]

function bootFilesystems({ partitions }: TargetDisk): Pick<GrubMenu, 'bootUuid' | 'bootPath' | 'bootFilesystem' | 'rootUuid'> {
  const mounted = byDepth(partitions)
  const root = mounted.find(({ mountPoint }) => mountPoint === '/')
  if (root === undefined) throw new Error('expected a partition mounted at /, got none')
  const boot = mounted.find(({ mountPoint }) => mountPoint === '/boot')
  const { filesystem, filesystemUuid } = boot ?? root
  return { bootUuid: filesystemUuid, bootPath: boot === undefined ? '/boot' : '', bootFilesystem: filesystem, rootUuid: root.filesystemUuid }
}
