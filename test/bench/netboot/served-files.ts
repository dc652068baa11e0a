import { createHash, randomBytes } from 'node:crypto'
import { copyFile, mkdir, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { currentLink, manifestFile } from '../../../appliance/os/load-appliance.ts'
import type { Manifest, Output, OutputName } from '../../../appliance/os/manifest.ts'

/** What all servers serve, the same bytes. */
export interface ServedFiles {
  /** An appliance as `ingot serve` takes it. */
  applianceDirectory: string
  /** The same files, and the boot programs, for servers that serve a folder; `/boot/vmlinuz` is `boot/vmlinuz` in it. */
  rootDirectory: string
}

/** Sizes of the appliance that this project builds (README, "Figures"); what is in them does not matter to a server. */
const sizes: Record<OutputName, number> = { kernel: 8_200_000, initramfs: 6_800_000, stage2: 4096, inventory: 4096, tools: 4096 }
const names: Record<OutputName, string> = { kernel: 'vmlinuz', initramfs: 'initramfs.img', stage2: 'stage2.squashfs', inventory: 'inventory.squashfs', tools: 'tools.squashfs' }

/** Boot programs of Debian's package `ipxe`: what the machines of the storm fetch, and the largest, which the fifty clients of TFTP fetch. */
export const stormFile = 'undionly.kpxe'
export const sharedFile = 'ipxe.efi'
/** What a single client fetches by TFTP, as GRUB does with Secure Boot. */
export const singleFile = 'vmlinuz'

/** The script of the storm; its length is that of ours, give or take the ticket. */
export const scriptFile = 'boot.ipxe'
const script = `#!ipxe
imgfree
kernel http://10.77.0.1:8080/boot/vmlinuz initrd=initramfs.img ingot.server=http://10.77.0.1:8080 ingot.stage2=sha512:${'0'.repeat(128)} ingot.ticket=${'0'.repeat(43)} quiet
initrd http://10.77.0.1:8080/boot/initramfs.img
boot || goto failed
:failed
sleep 5
reboot
`

export async function makeServedFiles(directory: string): Promise<ServedFiles> {
  const home = join(directory, 'appliance', 'one')
  const root = join(directory, 'root')
  await mkdir(home, { recursive: true })
  await mkdir(join(root, 'boot'), { recursive: true })
  const outputs = {} as Record<OutputName, Output>
  for (const name of Object.keys(sizes) as OutputName[]) {
    const bytes = randomBytes(sizes[name])
    const file = names[name]
    await writeFile(join(home, file), bytes)
    await writeFile(join(root, 'boot', file), bytes)
    await writeFile(join(root, file), bytes)
    const hash = (algorithm: string) => createHash(algorithm).update(bytes).digest('hex')
    outputs[name] = { file, sizeBytes: bytes.length, rawSizeBytes: bytes.length, digest: `sha256:${hash('sha256')}`, sha512: hash('sha512'), contents: [] }
  }
  const manifest: Manifest = { version: 1, key: `sha256:${'0'.repeat(64)}`, ingotVersion: '0', nodeVersion: '0', kernelRelease: '0', builtWith: {}, packages: [], outputs }
  await writeFile(join(home, manifestFile), JSON.stringify(manifest))
  await symlink('one', join(directory, 'appliance', currentLink))
  for (const name of [stormFile, sharedFile]) await copyFile(join('/usr/lib/ipxe', name), join(root, name))
  await writeFile(join(root, scriptFile), script)
  return { applianceDirectory: join(directory, 'appliance'), rootDirectory: root }
}
