import { mkdir, readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { growDisk } from '../../../appliance/restore/grow-disk.ts'
import { restoreImage } from '../../../appliance/restore/restore-image.ts'
import { run } from '../../../appliance/run.ts'
import { makeGptDisk, mib } from '../capture/gpt-disk.ts'
import { makeLoopDisk } from './loop-disk.ts'
import { captureToMemory } from './memory-image.ts'

const { signal } = new AbortController()

const checks = {
  ext4: (device: string) => run('e2fsck', ['-f', '-n', device]),
  xfs: (device: string) => run('xfs_repair', ['-n', device]),
  btrfs: (device: string) => run('btrfs', ['check', '--readonly', '--check-data-csum', device]),
}

const hashOfTree = async (root: string): Promise<string> =>
  (await run('sh', ['-c', 'cd "$1" && tar --create --sort=name --exclude=./boot --file=- . | sha256sum', 'sh', root])).slice(0, 64)

async function whileMounted<Result>(device: string, mountPoint: string, act: () => Promise<Result>): Promise<Result> {
  await mkdir(mountPoint, { recursive: true })
  await run('mount', [device, mountPoint])
  try {
    return await act()
  } finally {
    await run('umount', [mountPoint])
  }
}

test.each([
  ['ext4', 160],
  ['xfs', 400],
  ['btrfs', 240],
] as const)('B24 an image with %s on a larger disk uses all of it, and holds what it held', { timeout: 120_000 }, async (filesystem, sizeMib) => {
  const source = await makeGptDisk({ layoutSizeBytes: sizeMib * mib, filesystem })
  onTestFinished(source.remove)
  const before = await hashOfTree(source.root)
  const image = await captureToMemory(source)
  const disk = await makeLoopDisk(2 * sizeMib * mib)
  onTestFinished(disk.remove)
  await restoreImage({ ...image, path: disk.device, run, signal, onProgress: () => {} })

  const grown = await growDisk({ device: disk.device, config: image.config, run, signal })
  const fromBytes = source.target.partitions[2]!.sizeBytes
  expect(grown).toEqual({ device: `${disk.device}p3`, name: 'root', fromBytes, toBytes: fromBytes + sizeMib * mib })
  expect(await run('sgdisk', ['--verify', disk.device])).toContain('No problems found')
  await checks[filesystem](`${disk.device}p3`)
  const mountPoint = join(disk.folder, 'mnt')
  await whileMounted(`${disk.device}p3`, mountPoint, async () => {
    expect(await hashOfTree(mountPoint)).toBe(before)
    const sizeBytes = Number(await run('findmnt', ['--bytes', '--noheadings', '--output', 'SIZE', mountPoint]))
    expect(sizeBytes).toBeGreaterThan(fromBytes + 0.8 * sizeMib * mib)
  })
})

test('on a disk of the size of the image nothing is grown', { timeout: 60_000 }, async () => {
  const source = await makeGptDisk()
  onTestFinished(source.remove)
  const image = await captureToMemory(source)
  const disk = await makeLoopDisk(160 * mib)
  onTestFinished(disk.remove)
  await restoreImage({ ...image, path: disk.device, run, signal, onProgress: () => {} })
  const before = await readFile(disk.device)
  expect(await growDisk({ device: disk.device, config: image.config, run, signal })).toBeUndefined()
  expect((await readFile(disk.device)).equals(before)).toBe(true)
})

test('a last partition that is not understood keeps its size, while the backup partition table moves to the end', { timeout: 60_000 }, async () => {
  const source = await makeGptDisk()
  onTestFinished(source.remove)
  const image = await captureToMemory(source)
  const disk = await makeLoopDisk(200 * mib)
  onTestFinished(disk.remove)
  await restoreImage({ ...image, path: disk.device, run, signal, onProgress: () => {} })
  const config = { ...image.config, partitions: image.config.partitions.map((partition) => ({ ...partition, filesystem: 'crypto_LUKS' })) }
  expect(await growDisk({ device: disk.device, config, run, signal })).toBeUndefined()
  expect(await run('sgdisk', ['--verify', disk.device])).toContain('No problems found')
  expect((await readFile(disk.device)).subarray(-512).toString('latin1', 0, 8)).toBe('EFI PART')
  expect(await readdir(disk.folder)).toEqual(['disk.raw'])
})
