import { open } from 'node:fs/promises'

/** What stands behind a name: a file of the host, or bytes. */
export type BootFile = { path: string } | { bytes: Buffer }

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

/** Throws as `open` does when the host's file is gone. */
export async function openBootFile(file: BootFile): Promise<FileReader> {
  if ('bytes' in file) {
    const { bytes } = file
    return {
      sizeBytes: bytes.length,
      read: async (offset, length) => bytes.subarray(offset, offset + length),
      close: async () => undefined,
    }
  }
  const handle = await open(file.path, 'r')
  try {
    const { size } = await handle.stat()
    return {
      sizeBytes: size,
      async read(offset, length) {
        const { buffer, bytesRead } = await handle.read({ buffer: Buffer.allocUnsafe(length), position: offset })
        const expected = Math.max(0, Math.min(length, size - offset))
        if (bytesRead < expected) throw new Error(`${file.path} became shorter while it was sent`)
        return buffer.subarray(0, expected)
      },
      close: () => handle.close(),
    }
  } catch (error) {
    await handle.close()
    throw error
  }
}
