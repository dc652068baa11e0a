import { open } from 'node:fs/promises'

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

/** An opened file. */
export interface FileReader {
  sizeBytes: number
  /** At most `length` bytes from `offset`; fewer only at the end. */
  read(offset: number, length: number): Promise<Buffer>
  close(): Promise<void>
}

/** Opens a file for whoever asks from `address`; undefined when there is none for it. Throws as `open` does when the host's file is gone. */
export async function openBootFile(file: BootFile, address: string): Promise<FileReader | undefined> {
  if ('path' in file) return openHostFile(file.path)
  const bytes = 'bytes' in file ? file.bytes : await file.make(address)
  return bytes && openBytes(bytes)
}

const openBytes = (bytes: Buffer): FileReader => ({
  sizeBytes: bytes.length,
  read: async (offset, length) => bytes.subarray(offset, offset + length),
  close: async () => undefined,
})

async function openHostFile(path: string): Promise<FileReader> {
  const handle = await open(path, 'r')
  try {
    const { size } = await handle.stat()
    return {
      sizeBytes: size,
      async read(offset, length) {
        const { buffer, bytesRead } = await handle.read({ buffer: Buffer.allocUnsafe(length), position: offset })
        const expected = Math.max(0, Math.min(length, size - offset))
        if (bytesRead < expected) throw new Error(`${path} became shorter while it was sent`)
        return buffer.subarray(0, expected)
      },
      close: () => handle.close(),
    }
  } catch (error) {
    await handle.close()
    throw error
  }
}
