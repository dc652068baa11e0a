import { mkdir, open, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import pino from 'pino'
import { expect, onTestFinished, test } from 'vitest'
import { run } from '../../../appliance/run.ts'
import type { JobServer } from '../../../appliance/server-client.ts'
import type { StepContext } from '../../../appliance/steps/context.ts'
import { image } from '../../../appliance/steps/image.ts'
import { exportRaw } from '../../../server/image-store/export-raw.ts'
import { startImageServer } from '../../server/image-store/image-server.ts'
import { makeGptDisk, mib, type GptDisk } from './gpt-disk.ts'
import { partcloneUsed } from './partclone-used.ts'
import { claimAt, stepContext } from './step-context.ts'

const setUp = async (options: Parameters<typeof makeGptDisk>[0] = {}) => {
  const disk = await makeGptDisk(options)
  onTestFinished(disk.remove)
  const server = await startImageServer()
  onTestFinished(server.close)
  return { disk, server, raw: join(disk.folder, 'exported.raw') }
}

const readPart = async (path: string, startBytes: number, endBytes: number): Promise<Buffer> => {
  const file = await open(path, 'r')
  try {
    return (await file.read(Buffer.alloc(endBytes - startBytes), 0, endBytes - startBytes, startBytes)).buffer
  } finally {
    await file.close()
  }
}

/** Checks the exported partition by the file system's own checker and by the bytes that partclone calls used; unused bytes must be zero. */
async function expectSamePartition(disk: GptDisk, raw: string, name: string, check: (path: string) => Promise<unknown>): Promise<void> {
  const { startBytes, sizeBytes, filesystem, device } = disk.target.partitions.find((partition) => partition.name === name)!
  const part = join(disk.folder, `${name}.raw`)
  await run('dd', [`if=${raw}`, `of=${part}`, 'bs=1M', `skip=${startBytes / mib}`, `count=${sizeBytes / mib}`, 'conv=sparse', 'status=none'])
  await check(part)
  const used = await partcloneUsed(filesystem === 'ext4' ? 'extfs' : 'vfat', device)
  const expected = Buffer.alloc(sizeBytes)
  for (const range of used) (await readPart(disk.file, startBytes + range.startBytes, startBytes + range.endBytes)).copy(expected, range.startBytes)
  expect((await readFile(part)).equals(expected)).toBe(true)
}

test.each([16, 32])('B23 the image holds the used blocks of a disk with FAT%i bit by bit, zeros elsewhere', { timeout: 120_000 }, async (espFatBits) => {
  const { disk, server, raw } = await setUp({ espFatBits })
  const progress: { doneBytes?: number; totalBytes?: number }[] = []
  await image({ kind: 'image', image: 'debian-12' }, stepContext(disk, server.url, { progress: (at) => progress.push(at) }))

  await exportRaw(server.store, 'debian-12', raw)
  await expectSamePartition(disk, raw, 'root', (path) => run('e2fsck', ['-f', '-n', path]))
  await expectSamePartition(disk, raw, 'efi', (path) => run('fsck.vfat', ['-n', path]))
  expect((await readPart(raw, 0, 2 * mib)).equals(await readPart(disk.file, 0, 2 * mib))).toBe(true)
  expect((await readPart(raw, 160 * mib - 33 * 512, 160 * mib)).equals(await readPart(disk.file, 160 * mib - 33 * 512, 160 * mib))).toBe(true)
  expect(await run('sgdisk', ['--verify', raw])).toContain('No problems found')
  await run('mcopy', ['-i', join(disk.folder, 'efi.raw'), '::EFI/BOOT/BOOTX64.EFI', join(disk.folder, 'copied')])
  expect((await readFile(join(disk.folder, 'copied'))).equals(await readFile(join(disk.folder, 'BOOTX64.EFI')))).toBe(true)

  const { config } = await server.store.resolve('debian-12')
  expect(config).toMatchObject({ diskSizeBytes: 160 * mib, job: 'job-1', packages: [{ name: 'nginx', version: '1.22.1-9' }], programs: { node: process.versions.node } })
  expect(config.partitions.map(({ name, filesystem }) => [name, filesystem])).toEqual([['bios', undefined], ['efi', 'vfat'], ['root', 'ext4']])
  expect(progress.at(-1)?.doneBytes).toBe(progress.at(-1)?.totalBytes)
})

test('the image of a disk larger than its layout has the size of the layout and a partition table of that size', { timeout: 120_000 }, async () => {
  const { disk, server, raw } = await setUp({ diskSizeBytes: 224 * mib })
  const tableBefore = await readPart(disk.file, 0, mib)
  await image({ kind: 'image', image: 'debian-12' }, stepContext(disk, server.url))

  await exportRaw(server.store, 'debian-12', raw)
  expect((await stat(raw)).size).toBe(160 * mib)
  expect(await run('sgdisk', ['--verify', raw])).toContain('No problems found')
  expect(await run('sfdisk', ['--verify', raw])).toContain('No errors detected')
  await expectSamePartition(disk, raw, 'root', (path) => run('e2fsck', ['-f', '-n', path]))
  expect((await readPart(disk.file, 0, mib)).equals(tableBefore)).toBe(true)
})

test('a partition that the plan does not name is captured whole, and the log says so', { timeout: 120_000 }, async () => {
  const { disk, server, raw } = await setUp()
  const lines: string[] = []
  const target = { ...disk.target, partitions: disk.target.partitions.filter(({ name }) => name !== 'efi') }
  const log = pino({ level: 'info' }, { write: (line: string) => void lines.push(line) })
  await image({ kind: 'image', image: 'debian-12' }, stepContext({ root: disk.root, target }, server.url, { log }))
  await exportRaw(server.store, 'debian-12', raw)
  expect((await readPart(raw, 2 * mib, 42 * mib)).equals(await readPart(disk.file, 2 * mib, 42 * mib))).toBe(true)
  expect(lines.some((line) => line.includes('partition is captured whole') && line.includes('"partition":"efi"'))).toBe(true)
})

test('a disk without a GPT is captured whole, up to its own end, and the log says so', { timeout: 120_000 }, async () => {
  const { disk, server, raw } = await setUp({ diskSizeBytes: 168 * mib })
  await run('umount', [disk.root])
  await run('sgdisk', ['--zap-all', disk.target.device])
  await run('sfdisk', ['--quiet', '--no-reread', '--force', disk.target.device], { input: 'label: dos\nstart=2048, type=83, bootable\n' })
  const lines: string[] = []
  const log = pino({ level: 'info' }, { write: (line: string) => void lines.push(line) })
  await image({ kind: 'image', image: 'debian-12' }, stepContext(disk, server.url, { log }))
  await exportRaw(server.store, 'debian-12', raw)
  expect(await run('sha256sum', ['--binary', raw]).then((sum) => sum.split(' ')[0])).toBe(await run('sha256sum', ['--binary', disk.file]).then((sum) => sum.split(' ')[0]))
  expect((await server.store.resolve('debian-12')).config).toMatchObject({ diskSizeBytes: 168 * mib, partitions: [] })
  expect(lines.some((line) => line.includes('disk is captured whole') && line.includes('no GUID partition table'))).toBe(true)
})

test('a second image of an unchanged disk sends only its config and manifest', { timeout: 120_000 }, async () => {
  const { disk, server } = await setUp()
  await image({ kind: 'image', image: 'debian-12' }, stepContext(disk, server.url))
  const context = stepContext(disk, server.url, { server: claimAt(server.url, 'job-1_2') })
  const pushed: string[] = []
  const pushBlob: JobServer['pushBlob'] = async (name, digest, bytes, signal) => {
    pushed.push(digest)
    await context.server.pushBlob(name, digest, bytes, signal)
  }
  await image({ kind: 'image', image: 'debian-12' }, { ...context, server: { ...context.server, pushBlob } })
  expect(pushed).toEqual([(await server.store.resolve('debian-12', 'job-1_2')).manifest.config.digest])
})

test('F3 a disk with a partition still mounted elsewhere is not imaged', { timeout: 120_000 }, async () => {
  const { disk, server } = await setUp()
  const elsewhere = join(disk.folder, 'elsewhere')
  await mkdir(elsewhere)
  await run('mount', [disk.target.partitions[2]!.device, elsewhere])
  try {
    await expect(image({ kind: 'image', image: 'debian-12' }, stepContext(disk, server.url))).rejects.toThrow(`got it mounted at ${elsewhere}`)
  } finally {
    await run('umount', [elsewhere])
  }
  expect(await server.store.list()).toEqual([])
})

test('F5 a claim that ends while chunks are sent stops the step, and nothing is published', { timeout: 120_000 }, async () => {
  const { disk, server } = await setUp()
  const progress: StepContext['progress'] = ({ doneBytes = 0 }) => void (doneBytes > 4 * mib && server.claims.clear())
  await expect(image({ kind: 'image', image: 'debian-12' }, stepContext(disk, server.url, { progress }))).rejects.toThrow('this claim has ended')
  expect(await server.store.list()).toEqual([])
})
