import { IngotError } from '../../errors.ts'

/** Headers and contents of a tar archive fill whole blocks. */
export const tarBlockBytes = 512

/** Most bytes of one file of a ustar archive: its size has 11 octal digits. */
const maxFileBytes = 8 ** 11 - 1

/**
 * The header of one file of a tar archive (POSIX.1-2017, pax, "ustar Interchange Format"), readable by all and owned by root. It depends on name and
 * size only. Throws `IngotError` 'image-invalid' for a file of 8 GiB or more.
 */
export function tarHeader(name: string, sizeBytes: number): Buffer {
  if (sizeBytes > maxFileBytes) throw new IngotError('image-invalid', `tar: expected files of at most ${maxFileBytes} bytes, got ${sizeBytes} for ${name}`)
  const header = Buffer.alloc(tarBlockBytes)
  const octal = (value: number, digits: number, at: number) => header.write(value.toString(8).padStart(digits, '0'), at, 'latin1')
  header.write(name, 0, 100, 'latin1')
  octal(0o644, 7, 100)
  octal(0, 7, 108)
  octal(0, 7, 116)
  octal(sizeBytes, 11, 124)
  octal(0, 11, 136)
  // The checksum is taken with blanks in its own place.
  header.write('        0', 148, 'latin1')
  header.write('ustar\x0000root', 257, 'latin1')
  header.write('root', 297, 'latin1')
  octal(header.reduce((sum, byte) => sum + byte, 0), 6, 148)
  header[154] = 0
  return header
}
