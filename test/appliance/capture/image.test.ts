import { open, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { parseDomainMap } from '../../../appliance/capture/parse-domain-map.ts'
import { run } from '../../../appliance/run.ts'
import { image } from '../../../appliance/steps/image.ts'
import { exportRaw } from '../../../server/image-store/export-raw.ts'
import { startImageServer } from '../../server/image-store/image-server.ts'
import { makeGptDisk, mib, type GptDisk } from './gpt-disk.ts'
import { stepContext } from './step-context.ts'

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
  const program = filesystem === 'ext4' ? 'partclone.extfs' : 'partclone.vfat'
  const used = parseDomainMap(await run(program, ['-D', '-q', '-s', device, '-o', '-', '-L', '/dev/null']))
  const expected = Buffer.alloc(sizeBytes)
  for (const range of used) (await readPart(disk.file, startBytes + range.startBytes, startBytes + range.endBytes)).copy(expected, range.startBytes)
  expect((await readFile(part)).equals(expected)).toBe(true)
}

test('B23 the image holds the used blocks of the disk bit by bit, zeros elsewhere, and sound file systems', { timeout: 120_000 }, async () => {
  const { disk, server, raw } = await setUp()
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
  expect(config).toMatchObject({ diskSizeBytes: 160 * mib, job: 'job-1', packages: [{ name: 'nginx', version: '1.22.1-9' }] })
  expect(config.partitions.map(({ name, filesystem }) => [name, filesystem])).toEqual([['bios', undefined], ['efi', 'vfat'], ['root', 'ext4']])
  expect(progress.at(-1)?.doneBytes).toBe(progress.at(-1)?.totalBytes)
})
