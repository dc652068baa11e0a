import { open, type FileHandle } from 'node:fs/promises'
import type { Run } from '../run.ts'
import { findData } from './find-data.ts'
import { readLastMount } from './read-last-mount.ts'
import { renderSignature, type Signature } from './render-signature.ts'

/** What lies on a disk, each thing in words; `fault` says why that cannot be known: what cannot be read is not empty. */
export interface Contents {
  contents: string[]
  fault?: string
}

/**
 * Looks a disk through for what it holds, for example `['gpt partition table', 'ext4 filesystem "data" on /dev/sda1, last mounted at /srv on 2026-11-02']`.
 * First for what libblkid knows the sign of, on the disk and on each partition that the kernel sees: partition tables and their backups, filesystems, members
 * of RAID, LVM, ZFS and the like. wipefs tells every sign that is there, where lsblk and blkid tell one, or none when there are several. Where there is no
 * sign it is bytes that count (`findData`). `names` are the disk and its partitions.
 */
export async function readContents(names: readonly string[], sizeBytes: number, run: Run): Promise<Contents> {
  const [disk = ''] = names
  try {
    const handle = await open(`/dev/${disk}`, 'r')
    try {
      // What was read before is not what is there now: another machine may write to the same disk, and one that dies is still read from memory.
      for (const name of names) await run('blockdev', ['--flushbufs', `/dev/${name}`])
      // wipefs takes what it cannot read for empty.
      await readStart(handle)
      const signs = (await Promise.all(names.map((name) => readSigns(`/dev/${name}`, run)))).flat()
      if (signs.length > 0) return { contents: [...new Set(signs)] }
      const found = await findData(handle, sizeBytes)
      return { contents: found === undefined ? [] : [`data of no known kind, at ${renderPosition(found)}`] }
    } finally {
      await handle.close()
    }
  } catch (error) {
    return { contents: [], fault: `cannot be read (${(error as Error).message.split('\n')[0]})` }
  }
}

async function readStart(handle: FileHandle): Promise<void> {
  const { bytesRead } = await handle.read(Buffer.alloc(4096), 0, 4096, 0)
  if (bytesRead === 0) throw new Error('got nothing at 0')
}

async function readSigns(device: string, run: Run): Promise<string[]> {
  const told = await run('wipefs', ['--no-act', '--json', '--output', 'OFFSET,TYPE,LABEL,USAGE', device], { timeoutMs: 60_000 })
  const { signatures } = (told === '' ? { signatures: [] } : JSON.parse(told)) as { signatures: Signature[] }
  // The protective MBR is part of a GPT; where it stands alone, something once was.
  const shown = signatures.filter(({ type }) => type !== 'PMBR' || signatures.length === 1)
  return Promise.all(
    shown.map(async (signature) => {
      const lastMount = signature.type.startsWith('ext') ? await readLastMount(device) : ''
      return `${renderSignature(signature, device)}${lastMount}`
    }),
  )
}

/** For example `4.5 MiB`. */
const renderPosition = (bytes: number): string => (bytes === 0 ? 'its start' : `${Number((bytes / 2 ** 20).toFixed(2))} MiB`)
