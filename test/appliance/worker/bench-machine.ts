import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { chmod, copyFile, mkdir, mkdtemp, readFile, rm, symlink, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { unmountTree } from '../../../appliance/capture/unmount-tree.ts'
import { endPrograms } from '../../../appliance/end-programs.ts'
import { run } from '../../../appliance/run.ts'
import { planLayout } from '../../../images/layout.ts'
import type { Step } from '../../../images/plan.ts'
import type { ComponentStore } from '../../../server/components/component-store.ts'
import { openMachineStore } from '../../../server/machine-store.ts'
import { openLoopDevice } from '../../helpers/loop-device.ts'
import { loopDiskNow } from '../../helpers/loop-disk-now.ts'
import { machine, type JobServer } from './job-server.ts'
import type { WorkerProcessOptions } from './worker-process.ts'

const mib = 1024 * 1024

/** A machine to work on: a disk (a file behind a loop device), mount points, and a worker process that can be killed and started again. */
export interface BenchMachine {
  /** Where the installed system is mounted while a job runs. */
  readonly target: string
  /** What its worker keeps in memory. */
  readonly stateDirectory: string
  /** The bytes of its disk. */
  readonly diskFile: string
  readonly device: string
  /** Tells a server that the disk may be written though it holds data (F1). */
  markScratch(server: JobServer): Promise<void>
  startWorker(boot: JobServer): Promise<WorkerProcess>
  /** Mount points of jobs: empty when no job runs. */
  mounts(): Promise<string[]>
}

export interface WorkerProcess {
  /** What it logged. */
  output(): string
  /** Its exit code, null when it was killed. */
  readonly ended: Promise<number | null>
  kill(): Promise<void>
}

export async function openBenchMachine({ diskSizeBytes = 64 * mib } = {}): Promise<BenchMachine> {
  const folder = await mkdtemp(join(tmpdir(), 'ingot-machine-'))
  const [target, tools, diskFile] = [join(folder, 'target'), join(folder, 'tools'), join(folder, 'disk')]
  await writeFile(diskFile, '')
  await truncate(diskFile, diskSizeBytes)
  const { device, close } = await openLoopDevice(diskFile)
  const children = new Set<ChildProcess>()
  const kill = async (child: ChildProcess) => {
    const closed = once(child, 'close')
    if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL')
    else return
    await closed
  }
  // Last first, and each whatever became of the others.
  onTestFinished(() => rm(folder, { recursive: true }))
  onTestFinished(close)
  onTestFinished(() => unmountTree(tools, { devices: [], run }))
  onTestFinished(async () => {
    await endPrograms({ directory: target })
    await unmountTree(target, { devices: [], run })
  })
  onTestFinished(async () => {
    for (const child of children) await kill(child)
  })

  const disk = await loopDiskNow(device)
  const inventory: WorkerProcessOptions['inventory'] = {
    id: machine, uuid: '', firmware: 'bios', secureBoot: false, architecture: 'amd64', manufacturer: '', model: '', serial: '',
    cpu: { model: 'x', cores: 1 }, memoryBytes: 2 ** 30, disks: [disk], nics: [], workerVersion: 'test',
  }
  const bench: BenchMachine = {
    target,
    stateDirectory: join(folder, 'state'),
    diskFile,
    device,
    async markScratch({ directory }) {
      await openMachineStore(directory).markScratch(machine, 'S1')
    },
    async startWorker(boot) {
      await bench.markScratch(boot)
      const { url: server, fingerprint } = { fingerprint: undefined, ...(boot.https ?? { url: boot.url }) }
      const options: WorkerProcessOptions = { server, ...(fingerprint === undefined ? {} : { fingerprint }), ticket: await boot.ticket(), stateDirectory: bench.stateDirectory, directories: { target, tools }, inventory }
      const optionsFile = join(folder, 'options.json')
      await writeFile(optionsFile, JSON.stringify(options), { mode: 0o600 })
      const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', join(import.meta.dirname, 'worker-process.ts'), optionsFile])
      children.add(child)
      let output = ''
      for (const stream of [child.stdout, child.stderr]) stream.on('data', (text) => (output += String(text)))
      const ended = once(child, 'close').then(() => child.exitCode)
      return { output: () => output, ended, kill: () => kill(child) }
    },
    mounts: async () =>
      (await readFile('/proc/self/mounts', 'utf8')).split('\n').flatMap((line) => line.split(' ')[1] ?? []).filter((path) => path.startsWith(target)),
  }
  return bench
}

const layout = planLayout('test', 48 * mib, [
  { name: 'bios', type: 'bios-boot', size: '1MiB' },
  { name: 'root', type: 'linux-root', filesystem: 'ext4', mount: '/', size: 'rest' },
])
if ('expected' in layout) throw new Error(layout.expected)
const partition: Step = { kind: 'partition', disk: { serial: 'S1' }, ...layout }

/** The script of a job that makes a small system, runs `configure` in it, and images it as `r`. */
export async function smallJob(components: ComponentStore, configure: string): Promise<Step[]> {
  const script = await components.add('configure.sh', [Buffer.from(`#!/bin/sh\n${configure}\n`)])
  return [partition, { kind: 'install-rootfs', component: await smallRootfs(components) }, { kind: 'configure-script', component: script }, { kind: 'image', image: 'r' }]
}

/** A root filesystem in which one program, busybox, is all programs. */
async function smallRootfs(components: ComponentStore) {
  const folder = await mkdtemp(join(tmpdir(), 'ingot-rootfs-'))
  try {
    const root = join(folder, 'root')
    for (const path of ['bin', 'usr/bin', 'usr/sbin', 'etc', 'dev', 'proc', 'sys', 'run', 'tmp']) await mkdir(join(root, path), { recursive: true })
    await copyFile('/bin/busybox', join(root, 'bin/busybox'))
    for (const name of ['bin/sh', 'usr/bin/env', 'bin/sleep', 'bin/setsid', 'bin/date', 'bin/seq']) await symlink('/bin/busybox', join(root, name))
    await chmod(join(root, 'tmp'), 0o1777)
    await run('tar', ['--create', '--zstd', `--file=${folder}/rootfs.tar.zst`, `--directory=${root}`, '.'])
    return await components.add('small', [await readFile(join(folder, 'rootfs.tar.zst'))])
  } finally {
    await rm(folder, { recursive: true })
  }
}
