/**
 * Takes entries out of an ICU common data package, in place: the table of contents keeps only the names for which `keep` holds, and the
 * bytes of the others become zero, so that they compress to nothing. Nothing moves, so the package may lie inside a program; ICU then sees
 * what it sees in a build with `--with-intl=small-icu`: a locale whose data is not there falls back to root. Returns the names taken out.
 *
 * Names are as in the package, for example `icudt78l/zone/de.res`.
 * Throws when `data` is not a little-endian package. Source: ICU `common/unicode/udata.h` (UDataInfo), `common/ucmndata.h` (UDataOffsetTOC).
 */
export function trimIcuData(data: Buffer, keep: (name: string) => boolean): string[] {
  const headerBytes = data.readUInt16LE(0)
  const isPackage = data[2] === 0xda && data[3] === 0x27 && data[8] === 0 && data.toString('latin1', 12, 16) === 'CmnD'
  if (!isPackage) throw new Error('not a little-endian ICU common data package')
  const contents = data.subarray(headerBytes)
  const count = contents.readUInt32LE(0)
  const entries = Array.from({ length: count }, (_, index) => {
    const nameAt = contents.readUInt32LE(4 + index * 8)
    return { nameAt, dataAt: contents.readUInt32LE(8 + index * 8), name: contents.toString('latin1', nameAt, contents.indexOf(0, nameAt)) }
  })
  const kept = entries.filter(({ name }) => keep(name))

  entries.forEach(({ name, dataAt }, index) => {
    if (!keep(name)) contents.fill(0, dataAt, entries[index + 1]?.dataAt ?? contents.length)
  })
  contents.fill(0, 4, 4 + count * 8)
  contents.writeUInt32LE(kept.length, 0)
  kept.forEach(({ nameAt, dataAt }, index) => {
    contents.writeUInt32LE(nameAt, 4 + index * 8)
    contents.writeUInt32LE(dataAt, 8 + index * 8)
  })
  return entries.filter(({ name }) => !keep(name)).map(({ name }) => name)
}

/**
 * What the worker's Node needs of ICU: the shared tables (properties, normalisation, time zones, plural rules), and English. Left out are
 * other languages, legacy character sets (`TextDecoder` keeps UTF-8, UTF-16 and Latin-1), transliteration, word-break dictionaries and
 * the names of characters.
 */
export function isNeededIcuEntry(name: string): boolean {
  const [, ...path] = name.split('/')
  const file = path.at(-1) ?? ''
  if (file.endsWith('.cnv') || file.endsWith('.dict') || file === 'unames.icu' || path[0] === 'translit') return false
  if (!file.endsWith('.res')) return true
  const bundle = file.slice(0, -'.res'.length)
  const isLocale = path.length > 1 || /^[a-z]{2,3}(_|$)/.test(bundle)
  return !isLocale || /^(root|pool|res_index|en|en_US|en_001|en_US_POSIX|supplementalData)$/.test(bundle)
}
