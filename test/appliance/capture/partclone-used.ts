import type { ByteRange } from '../../../appliance/capture/byte-range.ts'
import { run } from '../../../appliance/run.ts'

/** What partclone calls used of a filesystem: the second opinion. Its map is that of GNU ddrescue (manual, "Mapfile structure"), `+` for used. */
export async function partcloneUsed(kind: 'extfs' | 'vfat' | 'xfs', device: string): Promise<ByteRange[]> {
  const map = await run(`partclone.${kind}`, ['-D', '-q', '-s', device, '-o', '-', '-L', '/dev/null'])
  return map.split('\n').flatMap((line) => {
    const [, start, size] = /^(0x[0-9A-F]+)\s+(0x[0-9A-F]+)\s+\+$/i.exec(line.trim()) ?? []
    return start === undefined ? [] : [{ startBytes: Number(start), endBytes: Number(start) + Number(size) }]
  })
}
