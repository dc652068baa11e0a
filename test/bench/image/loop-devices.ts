import type { Run } from '../../../appliance/run.ts'
import { rootPartition } from './bench-layout.ts'

/** A disk, and its root partition as a device of its own. */
export interface LoopDevices {
  disk: string
  root: string
}

/** Gives a file loop devices as long as `act` takes. */
export async function withLoopDevices<Result>(file: string, run: Run, act: (devices: LoopDevices) => Promise<Result>): Promise<Result> {
  const attached: string[] = []
  const attach = async (...args: string[]): Promise<string> => {
    const device = await run('losetup', ['--find', '--show', ...args, file])
    attached.push(device)
    return device
  }
  try {
    const disk = await attach()
    const root = await attach('--offset', String(rootPartition.startBytes), '--sizelimit', String(rootPartition.sizeBytes))
    return await act({ disk, root })
  } finally {
    for (const device of attached) await run('losetup', ['--detach', device])
  }
}
