import { open } from 'node:fs/promises'
import { startDiskServer, type DiskServer, type DiskServerOptions } from './start-disk-server.ts'

export interface LayeredDiskOptions extends DiskServerOptions {
  /** Logical sector size that the layered disk has, whatever that of the real one. */
  sectorBytes: number
}

export interface OpenLayeredDisk extends Pick<DiskServer, 'changed'> {
  /** Block device, for example `/dev/loop3`; it takes partitions. */
  readonly device: string
  /** Lets go of the disk and settles once nobody uses it any more; nothing of it may be mounted still. */
  close(): Promise<void>
}

/**
 * Shows a disk with an image under it as one block device. Nothing of the image is moved before it is read, and what was written is known: an image of which
 * little changes costs little, neither a whole disk to write nor a whole disk to read again.
 *
 * The kernel asks a process of ours for the blocks, by a loop device over a FUSE file. Both are let go of as soon as they are in use and go with their
 * last user, so that nothing stays behind even when this process is killed.
 */
export async function openLayeredDisk({ sectorBytes, ...options }: LayeredDiskOptions): Promise<OpenLayeredDisk> {
  const { path, run, signal } = options
  const server = await startDiskServer(options)
  // With its partitions found by the kernel they also go with the device; without, they would wait for whoever gets it next.
  const device = await run('losetup', ['--find', '--show', '--partscan', '--sector-size', String(sectorBytes), path], { signal })
  const held = await open(device, 'r')
  await run('losetup', ['--detach', device])
  await server.hide()
  return {
    device,
    changed: server.changed,
    async close() {
      await held.close()
      await server.ended
    },
  }
}
