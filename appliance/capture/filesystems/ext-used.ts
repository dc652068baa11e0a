import { invertRanges, sizeOfRanges, type ByteRange } from '../byte-range.ts'
import { linesOf } from './lines-of.ts'
import { refusal, type FindUsed } from './used.ts'

/** What is read of the output of dumpe2fs(8). */
interface ExtMap {
  state: string
  features: string[]
  blockBytes: number
  blockCount: number
  /** As the superblock counts them. */
  freeBlocks: number
  free: ByteRange[]
}

/**
 * Reads what dumpe2fs prints of ext2, ext3 and ext4: `Block size:  4096` in its head, and for each group of blocks `  Free blocks: 9283-32767, 40000`.
 * Lines are taken as they come. Source: e2fsprogs 1.47, dumpe2fs(8).
 */
export async function parseDumpe2fs(lines: AsyncIterable<string> | Iterable<string>): Promise<ExtMap> {
  const head = new Map<string, string>()
  const free: ByteRange[] = []
  for await (const line of lines) {
    const [, name, value] = /^([A-Z][^:]*):\s*(.*)$/.exec(line) ?? []
    if (name !== undefined && value !== undefined && !head.has(name)) head.set(name, value)
    const blocks = /^ {2}Free blocks: (.*)$/.exec(line)?.[1]
    if (blocks === undefined) continue
    const blockBytes = Number(head.get('Block size'))
    for (const range of blocks.split(', ').filter((text) => text !== '')) {
      const [first, last = first] = range.split('-').map(Number)
      free.push({ startBytes: first! * blockBytes, endBytes: (last! + 1) * blockBytes })
    }
  }
  const field = (name: string): string => {
    const value = head.get(name)
    if (value === undefined) throw new Error(`dumpe2fs: expected a line "${name}:", got none`)
    return value
  }
  return {
    state: field('Filesystem state'),
    features: field('Filesystem features').split(' '),
    blockBytes: Number(field('Block size')),
    blockCount: Number(field('Block count')),
    freeBlocks: Number(field('Free blocks')),
    free,
  }
}

/** ext2, ext3 and ext4: every block that no group's bitmap calls free, inode tables included, since they are written when the filesystem is made. */
export const findExtUsed: FindUsed = async (source) => {
  const map = await parseDumpe2fs(linesOf(source.run, 'dumpe2fs', [source.device]))
  if (map.state !== 'clean') throw refusal(source, 'ext4', `one that is ${map.state}`)
  if (map.features.includes('needs_recovery')) throw refusal(source, 'ext4', 'one whose journal must be replayed')
  if (map.features.includes('bigalloc')) return { wholeBecause: 'its blocks are counted in clusters' }
  const freeBytes = sizeOfRanges(map.free)
  // Two counts of one thing: were a line missed or misread, they would differ.
  if (freeBytes !== map.freeBlocks * map.blockBytes) {
    throw new Error(`${source.device}: expected ${map.freeBlocks} free blocks, as the superblock says, got ${freeBytes / map.blockBytes} in the groups`)
  }
  return { ranges: invertRanges(map.free, map.blockCount * map.blockBytes) }
}
