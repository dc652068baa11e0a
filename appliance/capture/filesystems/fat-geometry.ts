/** Where things lie on a FAT filesystem, in bytes from its start. */
export interface FatGeometry {
  /** How many bits an entry of the table has. */
  bits: 12 | 16 | 32
  /** Of the table that is in use. */
  tableStartBytes: number
  /** Where cluster 2, the first, begins. */
  dataStartBytes: number
  clusterBytes: number
  clusterCount: number
  /** Marked by the system that mounted it and did not unmount it yet. */
  isDirty: boolean
}

/**
 * Reads the first 512 bytes of a FAT filesystem. The count of clusters alone decides about the bits. Throws when they are no FAT boot sector.
 * Source: Microsoft FAT specification (2004), sections 3 and "FAT Type Determination"; the dirty flag is bit 0 of BS_Reserved1, as Linux and dosfstools use it.
 */
export function parseFatGeometry(bootSector: Buffer): FatGeometry {
  const sectorBytes = bootSector.readUInt16LE(11)
  const clusterSectors = bootSector.readUInt8(13)
  const isFat = bootSector.readUInt16LE(510) === 0xaa55 && sectorBytes >= 512 && clusterSectors > 0
  if (!isFat) throw new Error('expected a FAT boot sector, got none')
  const reservedSectors = bootSector.readUInt16LE(14)
  const rootSectors = Math.ceil((bootSector.readUInt16LE(17) * 32) / sectorBytes)
  const tableSectors = bootSector.readUInt16LE(22) || bootSector.readUInt32LE(36)
  const dataSector = reservedSectors + bootSector.readUInt8(16) * tableSectors + rootSectors
  const sectors = bootSector.readUInt16LE(19) || bootSector.readUInt32LE(32)
  const clusterCount = Math.floor((sectors - dataSector) / clusterSectors)
  const bits = clusterCount < 4085 ? 12 : clusterCount < 65525 ? 16 : 32
  // FAT32 may keep one of its tables alone up to date (BPB_ExtFlags).
  const flags = bits === 32 ? bootSector.readUInt16LE(40) : 0
  const table = (flags & 0x80) === 0 ? 0 : flags & 0x0f
  return {
    bits,
    tableStartBytes: (reservedSectors + table * tableSectors) * sectorBytes,
    dataStartBytes: dataSector * sectorBytes,
    clusterBytes: clusterSectors * sectorBytes,
    clusterCount,
    isDirty: (bootSector.readUInt8(bits === 32 ? 65 : 37) & 1) !== 0,
  }
}
