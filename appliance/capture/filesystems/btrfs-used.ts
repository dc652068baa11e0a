import { sizeOfRanges, type ByteRange } from '../byte-range.ts'
import { linesOf } from './lines-of.ts'
import { refusal, type FindUsed } from './used.ts'

type Lines = AsyncIterable<string> | Iterable<string>

/** Kept free by btrfs itself for a boot loader; the first superblock lies in it. Source: btrfs(5), "Bootloader support". */
const reservedBytes = 1024 * 1024
/** Copies of the superblock (btrfs-progs, kernel-shared/disk-io.h, `btrfs_sb_offset`); those beyond the end do not exist. */
const superblockCopies = [64 * 1024 ** 2, 256 * 1024 ** 3]
const superblockBytes = 4096

/** A piece of the filesystem's own address space, and where its copies lie on the device. */
export interface BtrfsChunk {
  logicalBytes: number
  lengthBytes: number
  /** Kinds and profile, for example `METADATA|DUP`. */
  type: string
  /** Positions on the device, one for each copy. */
  copies: number[]
}

/**
 * Reads what `btrfs inspect-internal dump-tree -t chunk` prints.
 *
 *     item 3 key (FIRST_CHUNK_TREE CHUNK_ITEM 30408704) itemoff 15881 itemsize 112
 *             length 33554432 owner 2 stripe_len 65536 type METADATA|DUP
 *                     stripe 0 devid 1 offset 38797312
 *                     stripe 1 devid 1 offset 72351744
 */
export async function parseChunkTree(lines: Lines): Promise<BtrfsChunk[]> {
  const chunks: BtrfsChunk[] = []
  let inChunk = false
  for await (const line of lines) {
    const [, kind, offset] = /^\s*item \d+ key \(\S+ (\S+) (\d+)\)/.exec(line) ?? []
    if (kind !== undefined) {
      inChunk = kind === 'CHUNK_ITEM'
      if (inChunk) chunks.push({ logicalBytes: Number(offset), lengthBytes: 0, type: '', copies: [] })
    }
    const chunk = inChunk ? chunks.at(-1) : undefined
    if (chunk === undefined) continue
    const [, length, type] = /^\s*length (\d+) .* type (\S+)$/.exec(line) ?? []
    if (length !== undefined && type !== undefined) Object.assign(chunk, { lengthBytes: Number(length), type })
    const copy = /^\s*stripe \d+ devid \d+ offset (\d+)$/.exec(line)?.[1]
    if (copy !== undefined) chunk.copies.push(Number(copy))
  }
  return chunks
}

/**
 * Allocated ranges of the filesystem's own address space, from what `btrfs inspect-internal dump-tree -t extent` prints: of data with their length,
 * `item 0 key (13631488 EXTENT_ITEM 24576)`, and of tree nodes, whose length the superblock tells, `item 5 key (30408704 METADATA_ITEM 0)`.
 */
export async function parseExtentTree(lines: Lines, nodeBytes: number): Promise<ByteRange[]> {
  const extents: ByteRange[] = []
  for await (const line of lines) {
    const [, start, kind, length] = /^\s*item \d+ key \((\d+) (EXTENT_ITEM|METADATA_ITEM) (\d+)\)/.exec(line) ?? []
    if (start !== undefined) extents.push({ startBytes: Number(start), endBytes: Number(start) + (kind === 'METADATA_ITEM' ? nodeBytes : Number(length)) })
  }
  return extents
}

/** Where extents lie on the device, each copy of them. Throws when one is in no chunk. */
export function mapExtents(extents: readonly ByteRange[], chunks: readonly BtrfsChunk[]): ByteRange[] {
  const sorted = chunks.toSorted((left, right) => left.logicalBytes - right.logicalBytes)
  let index = 0
  return extents
    .toSorted((left, right) => left.startBytes - right.startBytes)
    .flatMap(({ startBytes, endBytes }) => {
      while (index < sorted.length && sorted[index]!.logicalBytes + sorted[index]!.lengthBytes <= startBytes) index++
      const chunk = sorted[index]
      if (chunk === undefined || startBytes < chunk.logicalBytes || endBytes > chunk.logicalBytes + chunk.lengthBytes) {
        throw new Error(`btrfs: expected the extent at ${startBytes} in one chunk, got none that holds it`)
      }
      return chunk.copies.map((copy) => {
        const at = copy + startBytes - chunk.logicalBytes
        return { startBytes: at, endBytes: at + endBytes - startBytes }
      })
    })
}

/**
 * btrfs: all copies of every allocated extent, the superblocks and the reserved first MiB. (partclone 0.3.23 leaves out a part of the second copy of
 * metadata, which `btrfs scrub` then finds damaged: tried.)
 */
export const findBtrfsUsed: FindUsed = async (source) => {
  const { run, device, sizeBytes } = source
  const text = await run('btrfs', ['inspect-internal', 'dump-super', device])
  const field = (name: string): number => {
    const value = Number(new RegExp(`^${name}\\s+(\\d+)$`, 'm').exec(text)?.[1])
    if (Number.isNaN(value)) throw new Error(`btrfs dump-super: expected a number for ${name}, got none`)
    return value
  }
  if (field('num_devices') !== 1) return { wholeBecause: `it is one of ${field('num_devices')} devices of a filesystem` }
  // Blocks of a log tree are in no extent tree until it is replayed.
  if (field('log_root') !== 0) throw refusal(source, 'btrfs', 'one whose log must be replayed')

  const dumpTree = (tree: string) => linesOf(run, 'btrfs', ['inspect-internal', 'dump-tree', '--hide-names', '-t', tree, device])
  const chunks = await parseChunkTree(dumpTree('chunk'))
  const odd = chunks.find(({ type }) => !/\|(single|DUP)$/.test(type))
  if (odd !== undefined) return { wholeBecause: `it has block groups of type ${odd.type}` }
  const extents = await parseExtentTree(dumpTree('extent'), field('nodesize'))
  const allocatedBytes = sizeOfRanges(extents)
  // Two counts of one thing: were a line missed or misread, they would differ.
  if (allocatedBytes !== field('bytes_used')) {
    throw new Error(`${device}: expected extents of ${field('bytes_used')} bytes, as the superblock says, got ${allocatedBytes}`)
  }
  const superblocks = superblockCopies
    .filter((startBytes) => startBytes + superblockBytes <= sizeBytes)
    .map((startBytes) => ({ startBytes, endBytes: startBytes + superblockBytes }))
  return { ranges: [{ startBytes: 0, endBytes: reservedBytes }, ...superblocks, ...mapExtents(extents, chunks)] }
}
