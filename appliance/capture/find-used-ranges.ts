import { open } from 'node:fs/promises'
import type { Logger } from 'pino'
import type { Run } from '../run.ts'
import type { TargetDisk } from '../steps/context.ts'
import { sizeOfRanges, type ByteRange } from './byte-range.ts'
import { fatClusterBits } from './fat-cluster-bits.ts'
import type { GptPartition } from './gpt.ts'
import { parseDomainMap } from './parse-domain-map.ts'

type Partition = TargetDisk['partitions'][number]

const partcloneOf = { ext4: 'partclone.extfs', vfat: 'partclone.vfat' } as const

/**
 * The used ranges of a partition, positions on the disk: what its filesystem has allocated, told by partclone from the filesystem's own maps
 * without reading its data; the whole partition when there is no filesystem that we understand.
 * Throws when the filesystem is mounted or was not unmounted cleanly.
 */
export async function findUsedRanges(
  found: GptPartition,
  planned: Partition | undefined,
  { run, log }: { run: Run; log: Logger },
): Promise<ByteRange[]> {
  const { startBytes, sizeBytes } = found
  const program = planned?.filesystem && partcloneOf[planned.filesystem]
  if (planned === undefined || program === undefined || (planned.filesystem === 'vfat' && (await isFat12(planned.device)))) {
    log.info({ partition: found.name, number: found.number, sizeBytes }, 'partition is captured whole')
    return [{ startBytes, endBytes: startBytes + sizeBytes }]
  }
  const used = parseDomainMap(await run(program, ['--domain', '--quiet', '--source', planned.device, '--output', '-', '--logfile', '/dev/null']))
  const end = Math.max(...used.map((range) => range.endBytes))
  if (end > sizeBytes) throw new Error(`${planned.device}: expected a filesystem of at most ${sizeBytes} bytes, got one that reaches ${end}`)
  log.info({ partition: found.name, number: found.number, sizeBytes, usedBytes: sizeOfRanges(used) }, 'partition is captured by its used blocks')
  return used.map((range) => ({ startBytes: startBytes + range.startBytes, endBytes: startBytes + range.endBytes }))
}

/** partclone 0.3.23 reads the 12-bit table as if it had 16 bits and misses used clusters (tried). Such filesystems are small: take them whole. */
async function isFat12(device: string): Promise<boolean> {
  const partition = await open(device, 'r')
  try {
    const { buffer } = await partition.read(Buffer.alloc(512), 0, 512, 0)
    return fatClusterBits(buffer) === 12
  } finally {
    await partition.close()
  }
}
