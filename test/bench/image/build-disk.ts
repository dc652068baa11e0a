/*
 * Makes a disk of the benchmark by the steps of a job. Run in a mount namespace of its own, so that nothing stays mounted: node build-disk.ts TASK
 */
import { open, truncate, writeFile } from 'node:fs/promises'
import pino from 'pino'
import { unmountTree } from '../../../appliance/capture/unmount-tree.ts'
import { run } from '../../../appliance/run.ts'
import type { StepContext } from '../../../appliance/steps/context.ts'
import { performStep } from '../../../appliance/steps/executors.ts'
import { mountTarget } from '../../../appliance/steps/mount-target.ts'
import { partitionDevice } from '../../../appliance/steps/partition-device.ts'
import type { ComponentRef } from '../../../images/component.ts'
import type { Step } from '../../../images/plan.ts'
import { createComponentStore } from '../../../server/components/component-store.ts'
import { loopDiskNow } from '../../helpers/loop-disk-now.ts'
import { benchLayout } from './bench-layout.ts'

export interface BuildDiskTask {
  /** The file that becomes the disk; without `rootfs` a finished disk that is changed. */
  path: string
  /** An empty folder to mount it on. */
  root: string
  componentDirectory: string
  packagesUrl: string
  rootfs?: ComponentRef
  steps: Step[]
}

const task = JSON.parse(process.argv[2]!) as BuildDiskTask
const { path, root, packagesUrl, rootfs } = task
if (rootfs !== undefined) {
  await writeFile(path, '')
  await truncate(path, benchLayout.diskSizeBytes)
}
const device = await run('losetup', ['--find', '--show', '--partscan', path])
// Detached while it is open, a loop device goes with its last user, even when this process is killed.
const held = await open(device, 'r')
await run('losetup', ['--detach', device])
const store = createComponentStore(task.componentDirectory)
const disk = await loopDiskNow(device)
const context = {
  inventory: { disks: [disk] },
  scratchSerials: [],
  readDisks: () => Promise.resolve([disk]),
  root,
  disk: undefined,
  server: { component: async ({ digest }: ComponentRef) => store.open(digest) },
  packagesUrl,
  run,
  log: pino({ level: 'silent' }),
  progress: ({ detail = '' }) => void process.stderr.write(`${detail}\n`),
  signal: new AbortController().signal,
} as unknown as StepContext
try {
  if (rootfs === undefined) {
    await run('partx', ['--update', device])
    context.disk = { device, layoutSizeBytes: benchLayout.diskSizeBytes, partitions: benchLayout.partitions.map((partition, index) => ({ ...partition, device: partitionDevice(device, index + 1) })) }
    await mountTarget(context.disk, root, run)
  } else {
    await performStep({ kind: 'partition', disk: {}, ...benchLayout }, context)
    await performStep({ kind: 'install-rootfs', component: rootfs }, context)
  }
  for (const step of task.steps) await performStep(step, context)
  await performStep({ kind: 'generalise' }, context)
} finally {
  await unmountTree(root, { devices: [], run })
  await held.close()
}
