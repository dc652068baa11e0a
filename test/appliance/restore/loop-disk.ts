import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { run } from '../../../appliance/run.ts'
import { makeOldDisk } from '../capture/old-disk.ts'

/** A disk that holds old data, on a loop device. */
export interface LoopDisk {
  folder: string
  /** The file behind it. */
  file: string
  device: string
  remove(): Promise<void>
}

/**
 * Needs root. `plain`: on a file system without holes, so that the disk cannot zero ranges by itself and reads nothing as zero that was not written.
 */
export async function makeLoopDisk(sizeBytes: number, { plain = false, sectorBytes = 512 } = {}): Promise<LoopDisk> {
  const folder = await mkdtemp(join(tmpdir(), 'ingot-loop-'))
  const file = join(folder, 'disk.raw')
  let device: string | undefined
  const remove = async () => {
    if (device !== undefined) await run('losetup', ['--detach', device])
    if (plain) await run('umount', [folder]).catch(() => '')
    await rm(folder, { recursive: true })
  }
  try {
    if (plain) await run('mount', ['-t', 'ramfs', 'ramfs', folder])
    await makeOldDisk(file, sizeBytes)
    device = await run('losetup', ['--find', '--show', '--partscan', '--sector-size', String(sectorBytes), file])
    return { folder, file, device, remove }
  } catch (error) {
    await remove()
    throw error
  }
}
