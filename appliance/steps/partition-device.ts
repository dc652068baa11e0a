import { stat } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'

/** The node of a partition: `/dev/sda` → `/dev/sda1`, `/dev/nvme0n1` → `/dev/nvme0n1p1`. */
export const partitionDevice = (disk: string, number: number): string => `${disk}${/\d$/.test(disk) ? 'p' : ''}${number}`

/** Waits for devtmpfs to show a node; there is no udev in the appliance. Throws after 10 s. */
export async function waitForDevice(path: string, signal: AbortSignal): Promise<void> {
  const limit = AbortSignal.any([signal, AbortSignal.timeout(10_000)])
  while (!(await isBlockDevice(path))) {
    if (limit.aborted) throw new Error(`expected the device node ${path} within 10 s of partitioning, got none`)
    await sleep(20)
  }
}

async function isBlockDevice(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isBlockDevice()
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false
    throw error
  }
}
