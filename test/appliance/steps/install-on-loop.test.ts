import { createHash } from 'node:crypto'
import { chmod, copyFile, mkdir, mkdtemp, readFile, rm, stat, symlink, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pino } from 'pino'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { run } from '../../../appliance/run.ts'
import type { StepContext } from '../../../appliance/steps/context.ts'
import { performStep } from '../../../appliance/steps/executors.ts'
import { planLayout } from '../../../images/layout.ts'
import type { Step } from '../../../images/plan.ts'
import { createComponentStore, type ComponentStore } from '../../../server/components/component-store.ts'
import { openLoopDevice, type LoopDevice } from '../../helpers/loop-device.ts'
import { loopDiskNow } from '../../helpers/loop-disk-now.ts'

/*
 * The steps on a real block device: a sparse file behind a loop device. Its filesystems are ext4 only, since not every kernel that runs
 * tests knows vfat; the EFI system partition is covered by the end-to-end tests in QEMU.
 */

const sizeBytes = 256 * 1024 * 1024
const layout = planLayout('test', 128 * 1024 * 1024, [
  { name: 'bios', type: 'bios-boot', size: '1MiB' },
  { name: 'srv', type: 'linux', filesystem: 'ext4', mount: '/srv', size: '25%' },
  { name: 'root', type: 'linux-root', filesystem: 'ext4', mount: '/', size: 'rest' },
])
if ('expected' in layout) throw new Error(layout.expected)
const partitionStep: Step = { kind: 'partition', disk: { minSizeBytes: layout.diskSizeBytes }, ...layout }

let folder: string
let loop: LoopDevice
let store: ComponentStore
let context: StepContext
let progress: Parameters<StepContext['progress']>[0][]

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ingot-loop-'))
  await writeFile(join(folder, 'disk'), '')
  await truncate(join(folder, 'disk'), sizeBytes)
  loop = await openLoopDevice(join(folder, 'disk'))
  const { device } = loop
  store = createComponentStore(join(folder, 'components'))
  progress = []
  const disk = await loopDiskNow(device)
  context = {
    inventory: { disks: [disk] },
    scratchSerials: [],
    readDisks: async () => [await loopDiskNow(device)],
    root: join(folder, 'target'),
    disk: undefined,
    server: { component: async ({ digest }: { digest: string }) => store.open(digest) },
    run,
    log: pino({ level: 'silent' }),
    progress: (at: (typeof progress)[number]) => progress.push(at),
    signal: new AbortController().signal,
  } as unknown as StepContext
})

afterEach(async () => {
  for (const path of (await mountsBelow(folder)).reverse()) await run('umount', [path])
  await loop.close()
  await rm(folder, { recursive: true })
})

const mountsBelow = async (path: string) =>
  (await readFile('/proc/self/mounts', 'utf8')).split('\n').flatMap((line) => line.split(' ')[1] ?? []).filter((mount) => mount.startsWith(path))

/** A root filesystem in which one program, busybox, is all programs. */
async function smallRootfs() {
  const root = join(folder, 'rootfs')
  for (const path of ['bin', 'usr/bin', 'usr/sbin', 'etc', 'dev', 'proc', 'sys', 'run', 'tmp']) await mkdir(join(root, path), { recursive: true })
  await copyFile('/bin/busybox', join(root, 'bin/busybox'))
  for (const name of ['bin/sh', 'usr/bin/env', 'bin/mount', 'bin/cat', 'bin/ls']) await symlink('/bin/busybox', join(root, name))
  await symlink('/run/resolv.conf', join(root, 'etc/resolv.conf'))
  await chmod(join(root, 'tmp'), 0o1777)
  await run('tar', ['--create', '--zstd', `--file=${folder}/rootfs.tar.zst`, `--directory=${root}`, '.'])
  return store.add('small', [await readFile(join(folder, 'rootfs.tar.zst'))])
}

const script = async (text: string): Promise<Step> => ({ kind: 'configure-script', component: await store.add('configure.sh', [Buffer.from(`#!/bin/sh\n${text}`)]) })
const file = async (path: string, text: string): Promise<Step> => ({ kind: 'configure-file', component: await store.add('file', [Buffer.from(text)]), path, mode: '0640' })
const perform = async (...steps: Step[]) => {
  for (const step of steps) await performStep(step, context)
}
const digestOfDisk = async () => createHash('sha256').update(await readFile(join(folder, 'disk'))).digest('hex')

test('B21 a disk gets the partitions and filesystems of the plan, identifiers included, mounted in order', async () => {
  await perform(partitionStep)
  const { partitiontable } = JSON.parse(await run('sfdisk', ['--json', context.disk!.device])) as { partitiontable: { id: string; partitions: object[] } }
  expect(partitiontable.id).toBe(layout.diskGuid.toUpperCase())
  expect(partitiontable.partitions).toEqual(
    layout.partitions.map(({ name, typeGuid, startBytes, sizeBytes, partitionGuid }, index) => ({
      node: context.disk!.partitions[index]!.device,
      start: startBytes / 512,
      size: sizeBytes / 512,
      type: typeGuid,
      uuid: partitionGuid.toUpperCase(),
      name,
    })),
  )
  for (const { device, filesystemUuid } of context.disk!.partitions.slice(1)) {
    expect(await run('blkid', ['--probe', '--output', 'value', '--match-tag', 'UUID', device])).toBe(filesystemUuid)
  }
  expect(await mountsBelow(folder)).toEqual([context.root, join(context.root, 'srv')])
})

test('B22 a root filesystem is unpacked with owners and modes, told its filesystems, and counted by the byte', async () => {
  const component = await smallRootfs()
  await perform(partitionStep, { kind: 'install-rootfs', component })
  expect((await stat(join(context.root, 'tmp'))).mode & 0o7777).toBe(0o1777)
  const uuid = (name: string) => layout.partitions.find((partition) => partition.name === name)!.filesystemUuid
  expect(await readFile(join(context.root, 'etc/fstab'), 'utf8')).toBe(
    `UUID=${uuid('root')} / ext4 errors=remount-ro 0 1\nUUID=${uuid('srv')} /srv ext4 errors=remount-ro 0 2\n`,
  )
  expect(progress.at(-1)).toEqual({ doneBytes: component.sizeBytes, totalBytes: component.sizeBytes, detail: 'unpacking small' })
})

test('F3 a root filesystem that breaks off fails the step', async () => {
  const component = await smallRootfs()
  context.server.component = async () =>
    (async function* () {
      yield (await readFile(store.path(component.digest))).subarray(0, 1000)
      throw new Error('connection reset')
    })()
  await expect(perform(partitionStep, { kind: 'install-rootfs', component })).rejects.toThrow(/^connection reset$/)
})

test('B22 a file takes the place of a link, with its mode, in folders made for it', async () => {
  await perform(partitionStep, { kind: 'install-rootfs', component: await smallRootfs() })
  await perform(await file('/etc/resolv.conf', 'nameserver 10.77.0.1\n'), await file('/etc/new/folder/x', 'x'))
  expect(await readFile(join(context.root, 'etc/resolv.conf'), 'utf8')).toBe('nameserver 10.77.0.1\n')
  expect((await stat(join(context.root, 'etc/new/folder/x'))).mode & 0o777).toBe(0o640)
})

test('B22 a script runs in the installed system, where services cannot be started, and nothing of it stays behind', async () => {
  await perform(partitionStep, { kind: 'install-rootfs', component: await smallRootfs() })
  await perform(await script('/usr/sbin/policy-rc.d || echo "policy $?" > /etc/seen; ls /run >> /etc/seen; cat /proc/1/comm > /dev/null; env >> /etc/seen'))
  expect(await readFile(join(context.root, 'etc/seen'), 'utf8')).toMatch(/^policy 101\ningot-configure\n(?=[^]*DEBIAN_FRONTEND=noninteractive)/)
  expect(await mountsBelow(folder)).toEqual([context.root, join(context.root, 'srv')])
  await expect(stat(join(context.root, 'usr/sbin/policy-rc.d'))).rejects.toThrow('ENOENT')
})

test('a script that fails tells its exit code and last words, and leaves nothing mounted', async () => {
  await perform(partitionStep, { kind: 'install-rootfs', component: await smallRootfs() })
  await expect(perform(await script('echo "no such user"; exit 3'))).rejects.toMatchObject({ exitCode: 3, lastLines: ['no such user'] })
  expect(await mountsBelow(folder)).toEqual([context.root, join(context.root, 'srv')])
})

test('F4 a script of a job that is called off is ended, and leaves nothing mounted', async () => {
  await perform(partitionStep, { kind: 'install-rootfs', component: await smallRootfs() })
  const calledOff = new AbortController()
  const started = new Promise<void>((resolve) => {
    context.run = (program, args, options) =>
      run(program, args, { signal: calledOff.signal, ...options, onLine: (line) => (line === 'started' ? resolve() : undefined) })
  })
  context.signal = calledOff.signal
  const performed = perform(await script('echo started; read never < /dev/zero'))
  await Promise.race([started, performed])
  calledOff.abort()
  await expect(performed).rejects.toThrow()
  expect(await mountsBelow(folder)).toEqual([context.root, join(context.root, 'srv')])
})

test('F1 a disk that was empty when the machine was listed, and holds data now, is not written', async () => {
  await run('mke2fs', ['-q', context.inventory.disks[0]!.device])
  const before = await digestOfDisk()
  await expect(perform(partitionStep)).rejects.toThrow(`holds data (ext2 filesystem on ${context.inventory.disks[0]!.device}) and its serial number S1 is not marked as scratch for this machine`)
  expect(await digestOfDisk()).toBe(before)
})

test('F1 a scratch disk is written, and what lay between its partitions before is gone', async () => {
  const { device } = context.inventory.disks[0]!
  await writeFile(device, Buffer.alloc(3 * 1024 * 1024, 'secret'))
  await run('mke2fs', ['-q', device])
  await expect(perform(partitionStep)).rejects.toThrow('holds data')
  context = { ...context, scratchSerials: ['S1'] }
  await perform(partitionStep)
  await run('sync', [device])
  expect((await readFile(join(folder, 'disk'))).subarray(0, 2 * 1024 * 1024).includes('secret')).toBe(false)
})

/** An apt-get that fails once as Debian's did, captured from 2.6.1, and then does nothing. */
const aptThatFailsWith = (words: string) => `#!/bin/sh\n[ -e /tried ] && exit 0\n: >/tried\necho '${words}' >&2\nexit 100\n`

test.each([
  ['E: Failed to fetch http://10.77.0.1:8080/packages/x.deb  Could not connect to 10.77.0.1:8080 (10.77.0.1). - connect (111: Connection refused)', true],
  ['E: Unable to locate package nginx', false],
])('F9 apt is run again when the first computer is back, and only then: %s', async (words, again) => {
  await perform(partitionStep, { kind: 'install-rootfs', component: await smallRootfs() })
  await writeFile(join(context.root, 'etc/os-release'), 'VERSION_CODENAME=bookworm\n')
  await writeFile(join(context.root, 'usr/bin/apt-get'), aptThatFailsWith(words), { mode: 0o755 })
  let asked = 0
  context.server.answers = async () => void asked++
  const installed = perform({ kind: 'install-packages', packages: ['nginx'] })
  if (again) await installed
  else await expect(installed).rejects.toThrow(words)
  expect(asked).toBe(again ? 1 : 0)
})
