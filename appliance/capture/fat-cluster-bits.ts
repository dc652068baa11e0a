/**
 * How many bits a cluster number has on a FAT filesystem: 12, 16 or 32, decided by the count of clusters alone, from its first 512 bytes.
 * Throws when they are no FAT boot sector. Source: Microsoft FAT specification (2004), "FAT Type Determination".
 */
export function fatClusterBits(bootSector: Buffer): 12 | 16 | 32 {
  const sectorBytes = bootSector.readUInt16LE(11)
  const clusterSectors = bootSector.readUInt8(13)
  const isFat = bootSector.readUInt16LE(510) === 0xaa55 && sectorBytes >= 512 && clusterSectors > 0
  if (!isFat) throw new Error('expected a FAT boot sector, got none')
  const reservedSectors = bootSector.readUInt16LE(14)
  const rootSectors = Math.ceil((bootSector.readUInt16LE(17) * 32) / sectorBytes)
  const fatSectors = bootSector.readUInt8(16) * (bootSector.readUInt16LE(22) || bootSector.readUInt32LE(36))
  const sectors = bootSector.readUInt16LE(19) || bootSector.readUInt32LE(32)
  const clusters = Math.floor((sectors - reservedSectors - fatSectors - rootSectors) / clusterSectors)
  return clusters < 4085 ? 12 : clusters < 65525 ? 16 : 32
}
