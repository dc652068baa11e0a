import { access, constants } from 'node:fs/promises'
import { renderAutoexecScript } from '../../boot/ipxe-script.ts'
import { bootFiles } from '../../boot/firmware.ts'
import { ipxeScriptUrl } from '../../boot/offer.ts'
import { IngotError } from '../errors.ts'
import type { BootFile, FileMap, StaticFile } from './tftp/file-map.ts'

/** Where Debian's package `ipxe` puts its binaries. */
const ipxeDirectory = '/usr/lib/ipxe'

/** What Secure Boot loads by TFTP, after shim: the appliance, and how GRUB starts it. */
export interface SecureBootFiles {
  kernelPath: string
  initramfsPath: string
  /** GRUB's configuration for one machine, which it asks for from an address. */
  grubConfig: (machine: string, address: string) => Promise<string>
}

/** shim looks for GRUB under this name beside itself, and for its key manager, should a signature be denied. Package and path in Debian 12. */
const signedPrograms = [
  ['shimx64.efi', '/usr/lib/shim/shimx64.efi.signed', 'shim-signed'],
  ['mmx64.efi', '/usr/lib/shim/mmx64.efi.signed', 'shim-helpers-amd64-signed'],
  ['grubx64.efi', '/usr/lib/grub/x86_64-efi-signed/grubnetx64.efi.signed', 'grub-efi-amd64-signed'],
] as const

/**
 * What is served by name over TFTP, and over HTTP under `/boot/`: iPXE's binaries and the script that iPXE 2.0 looks for by itself, and with Secure Boot
 * what is signed for it. Throws an `IngotError` `host-lacks` when a program is not there.
 */
export async function loadBootFiles(httpUrl: string, { secureBoot }: { secureBoot: boolean }): Promise<ReadonlyMap<string, StaticFile>> {
  const programs = [
    ...bootFiles.map((name) => [name, `${ipxeDirectory}/${name}`, 'ipxe'] as const),
    ...(secureBoot ? signedPrograms : []),
  ]
  for (const [, path, debianPackage] of programs) {
    await access(path, constants.R_OK).catch((error: unknown) => {
      throw new IngotError('host-lacks', `the boot file ${path} cannot be read; "apt install ${debianPackage}" brings it`, { cause: error })
    })
  }
  const autoexec = { bytes: Buffer.from(renderAutoexecScript(ipxeScriptUrl(httpUrl))) }
  return new Map<string, StaticFile>([...programs.map(([name, path]) => [name, { path }] as const), ['autoexec.ipxe', autoexec]])
}

/** What is served over TFTP alone, for GRUB, which has no HTTP; a machine that is not known by its address finds no configuration. */
export function filesForGrub({ kernelPath, initramfsPath, grubConfig }: SecureBootFiles, machineAt: (ipv4: string) => string | undefined): FileMap {
  const make = async (address: string) => {
    const machine = machineAt(address)
    return machine === undefined ? undefined : Buffer.from(await grubConfig(machine, address))
  }
  return new Map<string, BootFile>([
    ['grub/grub.cfg', { make }],
    ['vmlinuz', { path: kernelPath }],
    ['initramfs.img', { path: initramfsPath }],
  ])
}
