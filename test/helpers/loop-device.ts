import { open } from 'node:fs/promises'
import { run } from '../../appliance/run.ts'

export interface LoopDevice {
  /** For example `/dev/loop3`. */
  device: string
  close(): Promise<void>
}

/** A file as a block device. It goes with its last user, even when this process is killed. */
export async function openLoopDevice(file: string): Promise<LoopDevice> {
  const device = await run('losetup', ['--find', '--show', file])
  const handle = await open(device, 'r')
  await run('losetup', ['--detach', device])
  // The kernel keeps the partitions that a program told it of, for whoever is given this device next; a test that was killed may have left some.
  const forgetPartitions = () => run('partx', ['--delete', device]).catch(() => {})
  await forgetPartitions()
  return {
    device,
    async close() {
      await forgetPartitions()
      await handle.close()
    },
  }
}
