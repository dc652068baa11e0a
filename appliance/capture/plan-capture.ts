import type { FileHandle } from 'node:fs/promises'
import type { Logger } from 'pino'
import { chunkSizeBytes } from '../../server/api/image.ts'
import type { Run } from '../run.ts'
import type { TargetDisk } from '../steps/context.ts'
import type { ByteRange } from './byte-range.ts'
import { findUsedRanges, type PartitionContents } from './find-used-ranges.ts'
import { hasGpt, parseGpt, resizeGpt, type GptPartition, type Patch } from './gpt.ts'
import { planChunks, type PlannedChunk } from './plan-chunks.ts'

/** What of a disk goes into its image. */
export interface CapturePlan {
  /** Size of the disk that the image describes. */
  diskSizeBytes: number
  chunks: PlannedChunk[]
  /** The partition table as it must be on a disk of exactly the layout's size. */
  patches: Patch[]
  /** As found on the disk. */
  partitions: (GptPartition & Pick<PartitionContents, 'filesystem'>)[]
}

/**
 * Finds what must be read of a disk: everything before its first partition (partition table and boot code), the used ranges of every partition,
 * and the end of the layout, where the backup partition table goes. A partition that the plan does not name is captured whole, and so is a disk without a
 * GPT: what of it means something is not known. The log says so.
 * Throws when the GPT is damaged, the disk lacks a planned partition or one reaches beyond the layout.
 */
export async function planCapture(
  handle: FileHandle,
  disk: TargetDisk,
  options: { sectorBytes: number; run: Run; log: Logger },
): Promise<CapturePlan> {
  const { buffer: start } = await handle.read(Buffer.alloc(chunkSizeBytes), 0, chunkSizeBytes, 0)
  if (!hasGpt(start, options.sectorBytes)) return planWhole(disk, options)
  const gpt = parseGpt(start, options.sectorBytes)
  const patches = resizeGpt(gpt, disk.layoutSizeBytes)

  const isAt = (left: { startBytes: number; sizeBytes: number }, right: { startBytes: number; sizeBytes: number }) =>
    left.startBytes === right.startBytes && left.sizeBytes === right.sizeBytes
  for (const planned of disk.partitions) {
    if (!gpt.partitions.some((found) => isAt(found, planned))) {
      const { name, startBytes, sizeBytes } = planned
      throw new Error(`${disk.device}: expected the partition "${name}" of ${sizeBytes} bytes at ${startBytes}, got none there`)
    }
  }
  const contents = await Promise.all(
    gpt.partitions.map((found) => findUsedRanges(found, disk.partitions.find((planned) => isAt(found, planned))?.device, options)),
  )
  const bootArea: ByteRange = { startBytes: 0, endBytes: Math.min(...gpt.partitions.map((partition) => partition.startBytes)) }
  const patched = patches.map(({ startBytes, bytes }) => ({ startBytes, endBytes: startBytes + bytes.length }))
  return {
    diskSizeBytes: disk.layoutSizeBytes,
    chunks: planChunks([bootArea, ...contents.flatMap(({ used }) => used), ...patched], disk.layoutSizeBytes, chunkSizeBytes),
    patches,
    partitions: gpt.partitions.map((found, index) => {
      const filesystem = contents[index]?.filesystem
      return { ...found, ...(filesystem === undefined ? {} : { filesystem }) }
    }),
  }
}

/** All of a disk, up to its own end. */
async function planWhole({ device }: TargetDisk, { run, log }: { run: Run; log: Logger }): Promise<CapturePlan> {
  const diskSizeBytes = Number(await run('blockdev', ['--getsize64', device]))
  log.info({ disk: device, sizeBytes: diskSizeBytes, reason: 'it has no GUID partition table' }, 'disk is captured whole')
  return { diskSizeBytes, chunks: planChunks([{ startBytes: 0, endBytes: diskSizeBytes }], diskSizeBytes, chunkSizeBytes), patches: [], partitions: [] }
}
