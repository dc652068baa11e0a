import { readHostFile } from '../read-host-file.ts'

/** A file of the host, or bytes: the same for everybody. */
export type StaticFile = { path: string } | { bytes: Buffer }

/** What stands behind a name: a static file, or bytes made for the asking address, undefined where there are none for it. */
export type BootFile = StaticFile | { make: (address: string) => Promise<Buffer | undefined> }

/** Files by the name under which machines ask for them; only what is in the map can be reached, a name is never joined to a path. */
export type FileMap = ReadonlyMap<string, BootFile>

/**
 * The form in which names are looked up: `\` of Windows-minded firmware as `/`, slashes once and none in front, and without the
 * trailing 0xff that some ROMs read past their file name (netboot.xyz #1198).
 */
export function normaliseFileName(name: string): string {
  return name
    .replace(/\xff+$/, '')
    .replaceAll('\\', '/')
    .replace(/\/+/g, '/')
    .replace(/^\//, '')
}

/** The bytes of a file for whoever asks from `address`; undefined when there is none for it. Throws as `readHostFile` does when the host's file is gone. */
export async function readBootFile(file: BootFile, address: string): Promise<Buffer | undefined> {
  if ('path' in file) return readHostFile(file.path)
  return 'bytes' in file ? file.bytes : file.make(address)
}
