/*
 * Images a disk as the last step of a job does, or restores one, and tells what it took. A process of its own, as the worker is; what a worker has
 * behind it by then, starting Node, is not counted. node ingot-worker.ts TASK
 */
import { readFile } from 'node:fs/promises'
import { captureDisk } from './capture-disk.ts'
import { restoreDisk } from './restore-disk.ts'
import type { LoopDevices } from './loop-devices.ts'

export interface IngotTask {
  kind: 'capture' | 'restore'
  url: string
  version: string
  devices: LoopDevices
}

/** What the process tells when it is done. */
export interface IngotDone {
  wallMs: number
  cpuMs: number
  bytes: number
}

const task = JSON.parse(process.argv[2]!) as IngotTask
const startMs = performance.now()
const startCpuMs = await cpuMs()
const bytes = await (task.kind === 'capture' ? captureDisk(task) : restoreDisk(task))
process.send!({ wallMs: performance.now() - startMs, cpuMs: (await cpuMs()) - startCpuMs, bytes } satisfies IngotDone)

/** Processor time of this process and of those that it ran, in milliseconds (proc(5), `stat`, fields 14 to 17 in hundredths of a second). */
async function cpuMs(): Promise<number> {
  const fields = (await readFile('/proc/self/stat', 'utf8')).split(' ')
  return fields.slice(13, 17).reduce((sum, ticks) => sum + Number(ticks) * 10, 0)
}
