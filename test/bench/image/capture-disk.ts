import pino from 'pino'
import { run } from '../../../appliance/run.ts'
import { image } from '../../../appliance/steps/image.ts'
import { claimAt, stepContext } from '../../appliance/capture/step-context.ts'
import { benchLayout, rootPartition } from './bench-layout.ts'
import type { IngotTask } from './ingot-worker.ts'

/** Performs the image step of a job on a disk; returns the bytes sent. */
export async function captureDisk({ url, version, devices }: IngotTask): Promise<number> {
  const server = claimAt(url, version)
  let sentBytes = 0
  const counting: typeof server = {
    ...server,
    pushBlob: (name, digest, bytes, signal) => ((sentBytes += bytes.byteLength), server.pushBlob(name, digest, bytes, signal)),
    pushManifest: (name, bytes, signal) => ((sentBytes += bytes.byteLength), server.pushManifest(name, bytes, signal)),
  }
  const target = { device: devices.disk, layoutSizeBytes: benchLayout.diskSizeBytes, partitions: [{ ...rootPartition, device: devices.root }] }
  const context = stepContext({ root: '/nowhere', target }, url, { server: counting, run, log: pino({ level: 'silent' }) })
  await image({ kind: 'image', image: 'bench' }, context)
  return sentBytes
}
