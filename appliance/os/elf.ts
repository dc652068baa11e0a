/*
 * The little of ELF that building the appliance needs: sections by name, needed libraries, one exported symbol.
 * Source: System V ABI, ELF-64 object file format, version 1.5; only little-endian 64-bit files (x86-64) are read.
 */

export interface ElfSection {
  name: string
  /** Address of the section in memory; a symbol's value is one of these. */
  address: number
  /** Where its bytes lie in the file. */
  offsetBytes: number
  sizeBytes: number
  /** Index of the section that this one refers to, for example the string table of a symbol table. */
  link: number
}

const noBits = 8
const dynamicTag = { end: 0n, needed: 1n }
const dynamicEntryBytes = 16
const symbolEntryBytes = 24

/** The sections of an ELF file in file order. Throws when `bytes` is not a 64-bit little-endian ELF file. */
export function readElfSections(bytes: Buffer): ElfSection[] {
  if (bytes.readUInt32BE(0) !== 0x7f454c46 || bytes[4] !== 2 || bytes[5] !== 1) throw new Error('not a 64-bit little-endian ELF file')
  const table = Number(bytes.readBigUInt64LE(0x28))
  const entryBytes = bytes.readUInt16LE(0x3a)
  const count = bytes.readUInt16LE(0x3c)
  const headers = Array.from({ length: count }, (_, index) => {
    const at = table + index * entryBytes
    return {
      nameAt: bytes.readUInt32LE(at),
      type: bytes.readUInt32LE(at + 4),
      address: Number(bytes.readBigUInt64LE(at + 16)),
      offsetBytes: Number(bytes.readBigUInt64LE(at + 24)),
      sizeBytes: Number(bytes.readBigUInt64LE(at + 32)),
      link: bytes.readUInt32LE(at + 40),
    }
  })
  const names = headers[bytes.readUInt16LE(0x3e)]
  if (names === undefined) throw new Error('ELF file without section names')
  return headers.map(({ nameAt, type, ...header }) => ({
    ...header,
    name: readString(bytes, names.offsetBytes + nameAt),
    sizeBytes: type === noBits ? 0 : header.sizeBytes,
  }))
}

/** The bytes of the section with that name, `undefined` when there is none. */
export function readElfSection(bytes: Buffer, name: string): Buffer | undefined {
  const section = readElfSections(bytes).find((candidate) => candidate.name === name)
  return section && bytes.subarray(section.offsetBytes, section.offsetBytes + section.sizeBytes)
}

/** The libraries a program or library is linked with (`DT_NEEDED`), for example `['libm.so.6', 'libc.so.6']`; none for a static one. */
export function readNeededLibraries(bytes: Buffer): string[] {
  const sections = readElfSections(bytes)
  const dynamic = sections.find(({ name }) => name === '.dynamic')
  const strings = dynamic && sections[dynamic.link]
  if (dynamic === undefined || strings === undefined) return []
  const needed: string[] = []
  for (let at = dynamic.offsetBytes; at < dynamic.offsetBytes + dynamic.sizeBytes; at += dynamicEntryBytes) {
    const tag = bytes.readBigUInt64LE(at)
    if (tag === dynamicTag.end) break
    if (tag === dynamicTag.needed) needed.push(readString(bytes, strings.offsetBytes + Number(bytes.readBigUInt64LE(at + 8))))
  }
  return needed
}

/** The bytes of an exported object (`.dynsym`), as a view into `bytes`. Throws when the file does not export it. */
export function readExportedObject(bytes: Buffer, symbol: string): Buffer {
  const sections = readElfSections(bytes)
  const symbols = sections.find(({ name }) => name === '.dynsym')
  const strings = symbols && sections[symbols.link]
  if (symbols !== undefined && strings !== undefined) {
    for (let at = symbols.offsetBytes; at < symbols.offsetBytes + symbols.sizeBytes; at += symbolEntryBytes) {
      if (readString(bytes, strings.offsetBytes + bytes.readUInt32LE(at)) !== symbol) continue
      const home = sections[bytes.readUInt16LE(at + 6)]
      if (home === undefined) break
      const start = Number(bytes.readBigUInt64LE(at + 8)) - home.address + home.offsetBytes
      return bytes.subarray(start, start + Number(bytes.readBigUInt64LE(at + 16)))
    }
  }
  throw new Error(`ELF file does not export ${symbol}`)
}

const readString = (bytes: Buffer, at: number): string => bytes.toString('latin1', at, bytes.indexOf(0, at))
