import { crc32 } from 'node:zlib'

/*
 * GUID partition table as UEFI 2.10 describes it: protective MBR 5.2.3, header 5.3.2 (table 5.5), entries 5.3.3 (table 5.6).
 * All of it is little-endian; a block is a logical sector of the disk.
 */
const signature = 'EFI PART'
const headerField = {
  size: 12,
  crc: 16,
  myBlock: 24,
  otherBlock: 32,
  lastUsable: 48,
  entriesBlock: 72,
  entryCount: 80,
  entryBytes: 84,
  entriesCrc: 88,
}
const entryField = { typeGuid: 0, partitionGuid: 16, first: 32, last: 40, name: 56, nameEnd: 128 }
const unusedType = '00000000-0000-0000-0000-000000000000'
const mbr = { firstRecord: 446, recordBytes: 16, type: 4, sizeBlocks: 12, protective: 0xee }

export interface GptPartition {
  /** From 1, as in `/dev/vda1`. */
  number: number
  name: string
  /** Upper case. */
  typeGuid: string
  startBytes: number
  sizeBytes: number
}

export interface Gpt {
  sectorBytes: number
  /** The first block of the disk, the primary header's block, and the array of entries as they stand on the disk. */
  mbrBlock: Buffer
  headerBlock: Buffer
  entries: Buffer
  partitions: GptPartition[]
}

/** Bytes that take the place of what the disk holds there. */
export interface Patch {
  startBytes: number
  bytes: Buffer
}

/** Whether a disk whose first bytes these are has a GPT, sound or not. */
export const hasGpt = (start: Buffer, sectorBytes: number): boolean => start.toString('latin1', sectorBytes, sectorBytes + signature.length) === signature

/**
 * Reads a partition table from the first bytes of a disk (1 MiB is always enough).
 * Throws when there is none, or one of its checksums is wrong.
 */
export function parseGpt(start: Buffer, sectorBytes: number): Gpt {
  const headerBlock = start.subarray(sectorBytes, 2 * sectorBytes)
  if (!hasGpt(start, sectorBytes)) throw new Error('partition table: expected a GPT, got none')
  const headerBytes = headerBlock.readUInt32LE(headerField.size)
  if (headerBytes < 92 || headerBytes > sectorBytes) {
    throw new Error(`partition table: expected a header of 92 to ${sectorBytes} bytes, got ${headerBytes}`)
  }
  if (headerCrc(headerBlock) !== headerBlock.readUInt32LE(headerField.crc)) {
    throw new Error('partition table: the checksum of its header is wrong')
  }

  const entryBytes = headerBlock.readUInt32LE(headerField.entryBytes)
  const entriesStart = blockAt(headerBlock, headerField.entriesBlock) * sectorBytes
  const entriesBytes = headerBlock.readUInt32LE(headerField.entryCount) * entryBytes
  if (entryBytes < 128 || entriesStart + entriesBytes > start.length) {
    throw new Error(`partition table: expected its entries in the first ${start.length} bytes, got ${entriesBytes} bytes at ${entriesStart}`)
  }
  const entries = start.subarray(entriesStart, entriesStart + entriesBytes)
  if (crc32(entries) !== headerBlock.readUInt32LE(headerField.entriesCrc)) {
    throw new Error('partition table: the checksum of its entries is wrong')
  }

  const partitions: GptPartition[] = []
  for (let offset = 0; offset < entries.length; offset += entryBytes) {
    const entry = entries.subarray(offset, offset + entryBytes)
    const typeGuid = guidAt(entry, entryField.typeGuid)
    if (typeGuid === unusedType) continue
    const first = blockAt(entry, entryField.first)
    partitions.push({
      number: offset / entryBytes + 1,
      name: entry.toString('utf16le', entryField.name, entryField.nameEnd).split('\0', 1)[0] ?? '',
      typeGuid,
      startBytes: first * sectorBytes,
      sizeBytes: (blockAt(entry, entryField.last) - first + 1) * sectorBytes,
    })
  }
  return { sectorBytes, mbrBlock: start.subarray(0, sectorBytes), headerBlock, entries, partitions }
}

/**
 * The parts of a partition table that depend on the size of the disk, made for a disk of `diskSizeBytes`: protective MBR and primary header at
 * the start, entries and backup header at the end. Throws when a partition would not fit.
 */
export function resizeGpt(gpt: Gpt, diskSizeBytes: number): Patch[] {
  const { sectorBytes, entries } = gpt
  const lastBlock = diskSizeBytes / sectorBytes - 1
  if (!Number.isInteger(lastBlock)) throw new Error(`disk size: expected a multiple of ${sectorBytes} bytes, got ${diskSizeBytes}`)
  const backupEntriesBlock = lastBlock - Math.ceil(entries.length / sectorBytes)
  const usableEnd = backupEntriesBlock * sectorBytes
  const beyond = gpt.partitions.find((partition) => partition.startBytes + partition.sizeBytes > usableEnd)
  if (beyond !== undefined) {
    const end = beyond.startBytes + beyond.sizeBytes
    throw new Error(`partition ${beyond.number} "${beyond.name}": expected its end at ${usableEnd} bytes or before, got ${end}`)
  }

  const primary = Buffer.from(gpt.headerBlock)
  primary.writeBigUInt64LE(BigInt(lastBlock), headerField.otherBlock)
  primary.writeBigUInt64LE(BigInt(backupEntriesBlock - 1), headerField.lastUsable)
  const backup = Buffer.from(primary)
  backup.writeBigUInt64LE(BigInt(lastBlock), headerField.myBlock)
  backup.writeBigUInt64LE(1n, headerField.otherBlock)
  backup.writeBigUInt64LE(BigInt(backupEntriesBlock), headerField.entriesBlock)
  for (const header of [primary, backup]) header.writeUInt32LE(headerCrc(header), headerField.crc)

  const entriesBlocks = Buffer.alloc((lastBlock - backupEntriesBlock) * sectorBytes)
  entries.copy(entriesBlocks)
  return [
    { startBytes: 0, bytes: Buffer.concat([resizeProtectiveMbr(gpt.mbrBlock, lastBlock), primary]) },
    { startBytes: usableEnd, bytes: Buffer.concat([entriesBlocks, backup]) },
  ]
}

function resizeProtectiveMbr(block: Buffer, lastBlock: number): Buffer {
  const resized = Buffer.from(block)
  for (let record = mbr.firstRecord; record < 510; record += mbr.recordBytes) {
    if (resized.readUInt8(record + mbr.type) === mbr.protective) resized.writeUInt32LE(Math.min(lastBlock, 0xffffffff), record + mbr.sizeBlocks)
  }
  return resized
}

/** The checksum of a header is taken with its own field as zero, over as many bytes as the header says it has. */
function headerCrc(block: Buffer): number {
  const header = Buffer.from(block.subarray(0, block.readUInt32LE(headerField.size)))
  header.writeUInt32LE(0, headerField.crc)
  return crc32(header)
}

const blockAt = (buffer: Buffer, offset: number): number => Number(buffer.readBigUInt64LE(offset))

/** A GUID's first three fields are little-endian numbers, its last two plain bytes (UEFI 2.10, appendix A). */
function guidAt(buffer: Buffer, offset: number): string {
  const bytes = Buffer.from(buffer.subarray(offset, offset + 16))
  bytes.subarray(0, 4).swap32()
  bytes.subarray(4, 6).swap16()
  bytes.subarray(6, 8).swap16()
  return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-').toUpperCase()
}
