import { readFile, stat } from 'node:fs/promises'

interface Kept {
  /** Changes when the file does. */
  mark: string
  bytes: Promise<Buffer>
}

const kept = new Map<string, Kept>()

/**
 * The whole of a file that many machines fetch, kept in memory until the file changes: a boot program, a kernel. Whoever holds the bytes keeps them,
 * whatever becomes of the file. Throws as `readFile` does.
 */
export async function readHostFile(path: string): Promise<Buffer> {
  const { ino, size, mtimeMs } = await stat(path)
  const mark = `${ino} ${size} ${mtimeMs}`
  const known = kept.get(path)
  if (known?.mark === mark) return known.bytes
  const bytes = readFile(path)
  kept.set(path, { mark, bytes })
  // What could not be read is read again by the next who asks.
  bytes.catch(() => kept.get(path)?.bytes === bytes && kept.delete(path))
  return bytes
}
