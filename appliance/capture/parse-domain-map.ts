import type { ByteRange } from './byte-range.ts'

/**
 * The used ranges of a filesystem, from the map that `partclone.<fs> --domain` prints: positions and sizes in bytes, `+` for used. For example
 *
 *     # current_pos  current_status
 *     0x25800000     ?
 *     #      pos        size  status
 *     0x00000000  0x00CF8000  +
 *     0x00CF8000  0x07308000  ?
 *
 * Throws when a line is none of these or nothing is used: an empty map would make an image of nothing.
 * Source: GNU ddrescue manual, "Mapfile structure".
 */
export function parseDomainMap(text: string): ByteRange[] {
  const lines = text.split('\n').filter((line) => line.trim() !== '' && !line.startsWith('#'))
  const used = lines.slice(1).flatMap((line) => {
    const [, start, size, status] = /^(0x[0-9A-F]+)\s+(0x[0-9A-F]+)\s+([+?])$/i.exec(line.trim()) ?? []
    if (start === undefined || size === undefined) throw new Error(`partclone's map: expected position, size and + or ?, got "${line}"`)
    return status === '+' ? [{ startBytes: Number(start), endBytes: Number(start) + Number(size) }] : []
  })
  if (used.length === 0) throw new Error('partclone\'s map: expected at least one used range, got none')
  return used
}
