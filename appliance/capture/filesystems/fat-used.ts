import { open, type FileHandle } from 'node:fs/promises'
import { mergeRanges, type ByteRange } from '../byte-range.ts'
import { parseFatGeometry, type FatGeometry } from './fat-geometry.ts'
import { refusal, type FindUsed } from './used.ts'

/** Whole entries of 12, 16 and 32 bits fit in. */
const pieceBytes = 3 * 1024 * 1024

/** FAT12, FAT16 and FAT32: boot sectors, tables and root directory, and every cluster whose entry is not zero. */
export const findFatUsed: FindUsed = async (source) => {
  const partition = await open(source.device, 'r')
  try {
    const geometry = parseFatGeometry(await readExactly(partition, 0, 512))
    if (geometry.isDirty) throw refusal(source, 'vfat', 'one that is marked dirty')
    return { ranges: mergeRanges([{ startBytes: 0, endBytes: geometry.dataStartBytes }, ...(await readClusters(partition, geometry))]) }
  } finally {
    await partition.close()
  }
}

async function readClusters(partition: FileHandle, geometry: FatGeometry): Promise<ByteRange[]> {
  const { bits, tableStartBytes, dataStartBytes, clusterBytes, clusterCount } = geometry
  // The first two entries belong to no cluster.
  const tableBytes = Math.ceil(((clusterCount + 2) * bits) / 8)
  const entriesInPiece = (pieceBytes * 8) / bits
  const used: ByteRange[] = []
  for (let at = 0, first = 0; at < tableBytes; at += pieceBytes, first += entriesInPiece) {
    const table = await readExactly(partition, tableStartBytes + at, Math.min(pieceBytes, tableBytes - at))
    for (let entry = Math.max(first, 2); entry < Math.min(first + entriesInPiece, clusterCount + 2); entry++) {
      if (entryAt(table, entry - first, bits) === 0) continue
      const startBytes = dataStartBytes + (entry - 2) * clusterBytes
      const last = used.at(-1)
      if (last?.endBytes === startBytes) last.endBytes += clusterBytes
      else used.push({ startBytes, endBytes: startBytes + clusterBytes })
    }
  }
  return used
}

function entryAt(table: Buffer, index: number, bits: FatGeometry['bits']): number {
  // The upper four bits of a 32-bit entry are reserved.
  if (bits === 32) return table.readUInt32LE(index * 4) & 0x0fffffff
  if (bits === 16) return table.readUInt16LE(index * 2)
  const pair = table.readUInt8(Math.floor(index * 1.5)) | (table.readUInt8(Math.floor(index * 1.5) + 1) << 8)
  return index % 2 === 0 ? pair & 0xfff : pair >> 4
}

async function readExactly(file: FileHandle, position: number, lengthBytes: number): Promise<Buffer> {
  const { bytesRead, buffer } = await file.read(Buffer.alloc(lengthBytes), 0, lengthBytes, position)
  if (bytesRead !== lengthBytes) throw new Error(`FAT: expected ${lengthBytes} bytes at ${position}, got ${bytesRead}`)
  return buffer
}
