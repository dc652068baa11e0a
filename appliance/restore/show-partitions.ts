import { open } from 'node:fs/promises'
import type { ImageConfig } from '../../server/api/image.ts'
import { parseGpt, type GptPartition } from '../capture/gpt.ts'
import type { Run } from '../run.ts'
import type { InstalledPartition } from '../steps/mount-target.ts'
import { partitionDevice, waitForDevice } from '../steps/partition-device.ts'

/** A partition table with its header and entries fits into this, whatever the sectors. */
const tableBytes = 1024 * 1024

/** The partitions of a disk as its table has them now. Throws when there is none. */
export async function readPartitions(device: string, sectorBytes: number): Promise<GptPartition[]> {
  const disk = await open(device, 'r')
  try {
    const { buffer } = await disk.read(Buffer.alloc(tableBytes), 0, tableBytes, 0)
    return parseGpt(buffer, sectorBytes).partitions
  } finally {
    await disk.close()
  }
}

export interface ShowOptions {
  /** A whole disk that an image was written to, for example `/dev/vda`. */
  device: string
  config: Pick<ImageConfig, 'sectorBytes' | 'partitions'>
  run: Run
  signal: AbortSignal
}

/** Has the kernel read the partition table of an image that was written, and tells which device each of its partitions is. */
export async function showPartitions({ device, config, run, signal }: ShowOptions): Promise<InstalledPartition[]> {
  await run('partx', ['--update', device], { signal })
  const found = await readPartitions(device, config.sectorBytes)
  const partitions = found.map(({ number, startBytes }): InstalledPartition => {
    const { filesystem, mountPoint } = config.partitions.find((each) => each.startBytes === startBytes) ?? {}
    return { device: partitionDevice(device, number), ...(filesystem === undefined ? {} : { filesystem }), ...(mountPoint === undefined ? {} : { mountPoint }) }
  })
  for (const partition of partitions) await waitForDevice(partition.device, signal)
  return partitions
}
