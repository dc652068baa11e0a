import { chmod, copyFile, mkdir, mkdtemp, readFile, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pino } from 'pino'
import { run, start } from '../../../appliance/run.ts'
import type { StepContext } from '../../../appliance/steps/context.ts'
import { resumeCapture } from '../../../appliance/resume/resume-capture.ts'
import { performStep } from '../../../appliance/steps/executors.ts'
import { startFromSnapshot } from '../../../appliance/steps/snapshot.ts'
import type { Plan, Step } from '../../../images/plan.ts'
import type { ComponentStore } from '../../../server/components/component-store.ts'
import { loopDiskNow } from '../../helpers/loop-disk-now.ts'
import { removeUnmounted } from '../../helpers/remove-unmounted.ts'
import { makeLoopDisk, type LoopDisk } from '../restore/loop-disk.ts'
import type { ImageShelf } from './image-shelf.ts'

/** A machine whose only disk, a scratch disk full of old data, is a loop device. Needs root. */
export interface LoopMachine {
  disk: LoopDisk
  /** Whether the disk may be overwritten though it holds data. */
  isScratch: boolean
  /** Performs the steps of a job as the worker does, with everything taken down in the end; says which kinds were performed. */
  perform(steps: Step[], shelf: ImageShelf, imageVersion: string): Promise<string[]>
  /** Captures the disk that the first step of the last job partitioned, all of it. */
  captureWhole(shelf: ImageShelf, imageVersion: string): Promise<void>
  /** What the worker logged as an error. */
  readonly errors: string[]
  remove(): Promise<void>
}

export async function makeLoopMachine(sizeBytes: number, components: ComponentStore, { isScratch = true } = {}): Promise<LoopMachine> {
  const folder = await mkdtemp(join(tmpdir(), 'ingot-machine-'))
  const disk = await makeLoopDisk(sizeBytes)
  const inventory = {
    id: '52-54-00-12-34-56',
    workerVersion: '0.1.0',
    disks: [await loopDiskNow(disk.device)],
  }
  const errors: string[] = []
  const log = pino({ level: 'error' }, { write: (line: string) => void errors.push(line) })
  let partitioned: StepContext['disk']
  const contextOf = (steps: Step[], shelf: ImageShelf, imageVersion: string): StepContext => ({
    plan: { recipe: { name: 'web', digest: 'sha256:00' }, architecture: 'amd64', firmware: ['bios'], steps } as unknown as Plan,
    job: imageVersion,
    inventory: inventory as unknown as StepContext['inventory'],
    scratchSerials: machine.isScratch ? ['S1'] : [],
    readDisks: async () => [await loopDiskNow(disk.device)],
    root: join(folder, 'target'),
    disk: undefined,
    written: undefined,
    server: { ...shelf.serve(imageVersion), component: async ({ digest }) => components.open(digest) },
    packagesUrl: '',
    run,
    start,
    cleanUps: [],
    log,
    progress: () => {},
    signal: new AbortController().signal,
  })
  const machine: LoopMachine = {
    disk,
    isScratch,
    errors,
    async perform(steps, shelf, imageVersion) {
      const context = contextOf(steps, shelf, imageVersion)
      const performed: string[] = []
      try {
        const done = (await resumeCapture(context)) || (await startFromSnapshot(context))
        for (const step of steps.slice(done)) {
          await performStep(step, context)
          if (step.kind === 'partition') partitioned = context.disk
          performed.push(step.kind)
        }
        return performed
      } finally {
        await run('umount', ['--recursive', context.root]).catch(() => '')
        for (const cleanUp of context.cleanUps) await cleanUp()
      }
    },
    async captureWhole(shelf, imageVersion) {
      const step = { kind: 'image', image: 'web' } as const
      await performStep(step, { ...contextOf([step], shelf, imageVersion), disk: partitioned })
    },
    async remove() {
      await disk.remove()
      await removeUnmounted(folder)
    },
  }
  return machine
}

/** A root filesystem in which one program, busybox, is all programs, and which holds `padding`. */
export async function makeSmallRootfs(components: ComponentStore, folder: string, padding: Buffer) {
  const root = join(folder, 'rootfs')
  for (const path of ['bin', 'usr/bin', 'usr/sbin', 'etc', 'dev', 'proc', 'sys', 'run', 'tmp', 'var/log']) await mkdir(join(root, path), { recursive: true })
  await copyFile('/bin/busybox', join(root, 'bin/busybox'))
  for (const name of ['bin/sh', 'usr/bin/env', 'bin/mount', 'bin/cat', 'bin/ls']) await symlink('/bin/busybox', join(root, name))
  await chmod(join(root, 'tmp'), 0o1777)
  await writeFile(join(root, 'padding'), padding)
  await run('tar', ['--create', '--zstd', `--file=${folder}/rootfs.tar.zst`, `--directory=${root}`, '.'])
  return components.add('small', [await readFile(join(folder, 'rootfs.tar.zst'))])
}
