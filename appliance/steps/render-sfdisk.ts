import type { StepOf } from '../../images/plan.ts'

/** GPT header and 128 entries of 128 bytes at the end of the disk: 33 sectors of 512 bytes (UEFI 2.10, 5.3.2). */
const backupBytes = (sectorBytes: number) => sectorBytes + 128 * 128

/** The input of sfdisk(8) that makes the partition table of a plan; `sectorBytes` is the logical sector size of the disk that is written. */
export function renderSfdisk({ diskSizeBytes, diskGuid, partitions }: StepOf<'partition'>, sectorBytes: number): string {
  const sectors = (bytes: number) => bytes / sectorBytes
  const lines = partitions.map(
    ({ name, typeGuid, startBytes, sizeBytes, partitionGuid }) =>
      `start=${sectors(startBytes)}, size=${sectors(sizeBytes)}, type=${typeGuid}, uuid=${partitionGuid.toUpperCase()}, name="${name}"`,
  )
  return [
    'label: gpt',
    `label-id: ${diskGuid.toUpperCase()}`,
    'unit: sectors',
    `first-lba: ${sectors(1024 * 1024)}`,
    // The image ends where the recipe says, however large the disk is on which it is made.
    `last-lba: ${sectors(diskSizeBytes - backupBytes(sectorBytes)) - 1}`,
    '',
    ...lines,
    '',
  ].join('\n')
}
