import { invertRanges, type ByteRange } from '../byte-range.ts'
import { linesOf } from './lines-of.ts'
import { refusal, type FindUsed, type Source } from './used.ts'

/** Set by the kernel or an administrator when a filesystem must not be trusted (xfs_format.h, `XFS_SB_FEAT_INCOMPAT_NEEDSREPAIR`). */
const needsRepair = 0x10

/**
 * Free ranges from what `xfs_db -c 'freesp -d -s'` prints: group, block in the group and count of each free extent, then a histogram, then the sum.
 *
 *     agno    agbno      len
 *        0        6        1
 *        1    25323     3809
 *     from      to extents  blocks    pct
 *        1       1       1       1   0.03
 *     total free blocks 3810
 *
 * Throws when the extents do not make up the sum. Source: xfsprogs 6.1, xfs_db(8).
 */
export async function parseFreesp(
  lines: AsyncIterable<string> | Iterable<string>,
  { blockBytes, groupBlocks }: { blockBytes: number; groupBlocks: number },
): Promise<ByteRange[]> {
  const free: ByteRange[] = []
  let blocks = 0
  let total: number | undefined
  for await (const line of lines) {
    const [, group, block, count] = /^\s*(\d+)\s+(\d+)\s+(\d+)\s*$/.exec(line) ?? []
    if (count !== undefined) {
      const startBytes = (Number(group) * groupBlocks + Number(block)) * blockBytes
      free.push({ startBytes, endBytes: startBytes + Number(count) * blockBytes })
      blocks += Number(count)
    }
    total = Number(/^total free blocks (\d+)$/.exec(line)?.[1] ?? total)
  }
  if (total !== blocks) throw new Error(`xfs_db: expected extents of ${total} free blocks, got ${blocks}`)
  return free
}

/** XFS: everything that its free-space trees do not list, the log included. */
export const findXfsUsed: FindUsed = async (source) => {
  const { run, device } = source
  const fields = await readSuperblock(source, ['blocksize', 'dblocks', 'agblocks', 'logstart', 'inprogress', 'features_incompat'])
  if (fields.inprogress !== 0) throw refusal(source, 'xfs', 'one that was not made to its end')
  if ((fields.features_incompat & needsRepair) !== 0) throw refusal(source, 'xfs', 'one that needs repair')
  if (fields.logstart === 0) return { wholeBecause: 'its log lies on another device' }
  const state = await readLogState(source)
  if (state !== 'CLEAN') throw refusal(source, 'xfs', `one whose log is ${state.toLowerCase()}`)
  const geometry = { blockBytes: fields.blocksize, groupBlocks: fields.agblocks }
  const free = await parseFreesp(linesOf(run, 'xfs_db', ['-r', '-c', 'freesp -d -s', device]), geometry)
  return { ranges: invertRanges(free, fields.dblocks * fields.blocksize) }
}

/** Fields of the first superblock by their names in xfs_db(8), which prints `blocksize = 4096`, some in hexadecimal. */
async function readSuperblock<Name extends string>({ run, device }: Source, names: readonly Name[]): Promise<Record<Name, number>> {
  const text = await run('xfs_db', ['-r', '-c', 'sb 0', '-c', `print ${names.join(' ')}`, device])
  const entries = names.map((name) => {
    const value = Number(new RegExp(`^${name} = (\\S+)$`, 'm').exec(text)?.[1])
    if (Number.isNaN(value)) throw new Error(`xfs_db: expected a number for ${name}, got none`)
    return [name, value] as const
  })
  return Object.fromEntries(entries) as Record<Name, number>
}

/** `CLEAN` or `DIRTY`, as xfs_logprint(8) tells; of a dirty log it prints all that is in it. */
async function readLogState({ run, device }: Source): Promise<string> {
  let state: string | undefined
  for await (const line of linesOf(run, 'xfs_logprint', ['-t', device])) state ??= /state: <(\w+)>/.exec(line)?.[1]
  if (state === undefined) throw new Error(`${device}: expected xfs_logprint to tell the state of the log, got nothing`)
  return state
}
