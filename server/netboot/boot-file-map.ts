import { access, constants } from 'node:fs/promises'
import { renderAutoexecScript } from '../../boot/ipxe-script.ts'
import { bootFiles } from '../../boot/firmware.ts'
import { ipxeScriptUrl } from '../../boot/offer.ts'
import { IngotError } from '../errors.ts'
import type { BootFile, FileMap } from './tftp/file-map.ts'

/** Where Debian's package `ipxe` puts its binaries. */
const ipxeDirectory = '/usr/lib/ipxe'

/**
 * What is served by name over TFTP, and over HTTP under `/boot/`: iPXE's binaries and the script that iPXE 2.0 looks for by itself.
 * Throws an `IngotError` `host-lacks` when a binary is not there.
 */
export async function loadBootFiles(httpUrl: string): Promise<FileMap> {
  const binaries = bootFiles.map((name): [string, BootFile & { path: string }] => [name, { path: `${ipxeDirectory}/${name}` }])
  for (const [, { path }] of binaries) {
    await access(path, constants.R_OK).catch((error: unknown) => {
      throw new IngotError('host-lacks', `the boot file ${path} cannot be read; "apt install ipxe" brings it`, { cause: error })
    })
  }
  const autoexec = { bytes: Buffer.from(renderAutoexecScript(ipxeScriptUrl(httpUrl))) }
  return new Map<string, BootFile>([...binaries, ['autoexec.ipxe', autoexec]])
}
