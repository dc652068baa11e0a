import { createHash } from 'node:crypto'
import { mkdir, mkdtemp, open, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import pino from 'pino'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { mergeRanges, sizeOfRanges, type ByteRange } from '../../../appliance/capture/byte-range.ts'
import { findUsedRanges } from '../../../appliance/capture/find-used-ranges.ts'
import { run } from '../../../appliance/run.ts'
import { fileOperations, performOperations } from './file-operations.ts'
import { mib } from './gpt-disk.ts'
import { copyRanges, makeOldDisk } from './old-disk.ts'
import { partcloneUsed } from './partclone-used.ts'

const silent = pino({ level: 'silent' })
const runs = { numRuns: 6, endOnFailure: true }

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ingot-filesystems-'))
})
afterEach(async () => {
  await run('umount', [join(folder, 'mnt')]).catch(() => '')
  await rm(folder, { recursive: true })
})

const findUsed = async (path: string, log = silent) =>
  findUsedRanges({ name: 'p', number: 1, typeGuid: '', startBytes: 0, sizeBytes: (await stat(path)).size }, path, { run, log })

async function overwrite(path: string, position: number, bytes: Buffer): Promise<void> {
  const file = await open(path, 'r+')
  await file.write(bytes, 0, bytes.length, position)
  await file.close()
}

/** The kernel attaches a loop device for a mount and takes it away with it. */
async function whileMounted<Result>(path: string, options: string, act: (root: string) => Promise<Result>): Promise<Result> {
  const root = join(folder, 'mnt')
  await mkdir(root, { recursive: true })
  await run('mount', ['-o', `loop,${options}`, path, root])
  try {
    return await act(root)
  } finally {
    await run('umount', [root])
  }
}

/** Names, contents, owners, permissions, times and links. */
const hashOfTree = async (root: string): Promise<string> => {
  const tar = join(folder, 'tree.tar')
  await run('tar', ['--create', '--sort=name', '--numeric-owner', `--file=${tar}`, `--directory=${root}`, '.'])
  return (await run('sha256sum', [tar])).slice(0, 64)
}

const kinds = [
  {
    name: 'ext4',
    sizeMib: 96,
    make: (path: string) => run('mke2fs', ['-q', '-F', '-t', 'ext4', '-E', 'nodiscard,lazy_itable_init=0,lazy_journal_init=0', path]),
    check: (path: string) => run('e2fsck', ['-f', '-n', path]),
    other: 'extfs' as const,
  },
  {
    name: 'ext4 with blocks of 1 KiB',
    sizeMib: 64,
    make: (path: string) => run('mke2fs', ['-q', '-F', '-t', 'ext4', '-b', '1024', '-E', 'nodiscard', path]),
    check: (path: string) => run('e2fsck', ['-f', '-n', path]),
    other: 'extfs' as const,
  },
  {
    name: 'xfs',
    sizeMib: 320,
    make: (path: string) => run('mkfs.xfs', ['-q', '-f', '-K', path]),
    check: (path: string) => run('xfs_repair', ['-n', path]),
    other: 'xfs' as const,
  },
  {
    name: 'btrfs',
    sizeMib: 192,
    make: (path: string) => run('mkfs.btrfs', ['-q', '-f', '-K', path]),
    check: (path: string) => run('btrfs', ['check', '--readonly', '--check-data-csum', path]),
    other: undefined,
  },
]

describe.each(kinds)('$name', ({ sizeMib, make, check, other, name }) => {
  test('whatever was done to it, a copy of its used blocks alone is the same filesystem', { timeout: 300_000 }, async () => {
    let number = 0
    await fc.assert(
      fc.asyncProperty(fileOperations, async (operations) => {
        const [disk, copy] = [join(folder, `disk-${++number}`), join(folder, `copy-${number}`)]
        await makeOldDisk(disk, sizeMib * mib)
        await make(disk)
        const before = await whileMounted(disk, 'rw', async (root) => {
          await performOperations(root, operations)
          return hashOfTree(root)
        })
        const { used } = await findUsed(disk)
        expect(sizeOfRanges(mergeRanges(used))).toBeLessThan(sizeMib * mib)
        await copyRanges(disk, copy, used)
        await check(copy)
        if (other !== undefined) expect(missingFrom(used, await partcloneUsed(other, disk))).toEqual([])
        expect(await whileMounted(copy, name === 'xfs' ? 'ro,nouuid' : 'ro', hashOfTree)).toBe(before)
        if (name === 'btrfs') {
          // Reads both copies of metadata, where a check is content with one.
          const scrub = await whileMounted(copy, 'rw', (root) => run('btrfs', ['scrub', 'start', '-B', '-r', root]))
          expect(scrub).toContain('no errors found')
        }
        await rm(disk)
        await rm(copy)
      }),
      runs,
    )
  })
})

/** What of `wanted` is in none of the ranges. */
const missingFrom = (ranges: readonly ByteRange[], wanted: readonly ByteRange[]): ByteRange[] => {
  const merged = mergeRanges(ranges)
  return wanted.filter(({ startBytes, endBytes }) => !merged.some((range) => range.startBytes <= startBytes && endBytes <= range.endBytes))
}

test.each([12, 16, 32])('FAT%i: whatever was put on it, a copy of its used clusters alone is the same filesystem', { timeout: 120_000 }, async (bits) => {
  const sizeMib = { 12: 8, 16: 32, 32: 64 }[bits]!
  let number = 0
  const fileSizes = fc.array(fc.record({ kib: fc.nat({ max: 600 }), removed: fc.boolean() }), { minLength: 1, maxLength: 12 })
  await fc.assert(
    fc.asyncProperty(fileSizes, async (files) => {
      const [disk, copy] = [join(folder, `disk-${++number}`), join(folder, `copy-${number}`)]
      await makeOldDisk(disk, sizeMib * mib)
      await run('mkfs.vfat', ['-F', String(bits), disk])
      await run('mmd', ['-i', disk, '::EFI', '::EFI/BOOT'])
      for (const [index, { kib }] of files.entries()) {
        await run('dd', ['if=/dev/urandom', `of=${join(folder, 'file')}`, 'bs=1024', `count=${kib}`, 'status=none'])
        await run('mcopy', ['-i', disk, join(folder, 'file'), `::EFI/BOOT/long-name-${index}.efi`])
      }
      for (const [index, { removed }] of files.entries()) if (removed) await run('mdel', ['-i', disk, `::EFI/BOOT/long-name-${index}.efi`])
      const { used } = await findUsed(disk)
      await copyRanges(disk, copy, used)
      await run('fsck.vfat', ['-n', copy])
      // partclone 0.3.23 reads the 12-bit table as if it had 16 bits, and misses used clusters.
      if (bits !== 12) expect(missingFrom(used, await partcloneUsed('vfat', disk))).toEqual([])
      const contents = async (path: string) => createHash('sha256').update(await run('mtype', ['-i', path, '::EFI/BOOT/*']).catch(() => 'no files')).digest('hex')
      expect(await contents(copy)).toBe(await contents(disk))
      await rm(copy)
      await rm(disk)
    }),
    { numRuns: 8, endOnFailure: true },
  )
})

test('a FAT filesystem that is marked dirty is refused', async () => {
  const disk = join(folder, 'disk')
  await makeOldDisk(disk, 8 * mib)
  await run('mkfs.vfat', ['-F', '12', disk])
  await overwrite(disk, 37, Buffer.from([1]))
  await expect(findUsed(disk)).rejects.toThrow('expected a cleanly unmounted vfat filesystem, got one that is marked dirty')
})

test.each(['ext4', 'xfs', 'btrfs'])('%s that was cut off while mounted is refused, and taken once it was mounted again', { timeout: 120_000 }, async (name) => {
  const { sizeMib, make } = kinds.find((kind) => kind.name === name)!
  const [disk, cut] = [join(folder, 'disk'), join(folder, 'cut')]
  await makeOldDisk(disk, sizeMib * mib)
  await make(disk)
  await whileMounted(disk, 'rw', async (root) => {
    await writeFile(join(root, 'whole'), 'written in time')
    await run('sync', ['--file-system', root])
    await writeFile(join(root, 'file'), 'x'.repeat(100_000))
    // What fsync put into the log, and no more, is on the disk now: as after a power cut.
    await run('sync', [join(root, 'file')])
    await run('cp', ['--sparse=always', disk, cut])
  })
  await expect(findUsed(cut)).rejects.toThrow(`expected a cleanly unmounted ${name} filesystem, got`)
  await whileMounted(cut, name === 'xfs' ? 'rw,nouuid' : 'rw', async () => {})
  expect(sizeOfRanges((await findUsed(cut)).used)).toBeGreaterThan(0)
})

test('ext4 with an error on record is refused', async () => {
  const disk = join(folder, 'disk')
  await makeOldDisk(disk, 16 * mib)
  await run('mke2fs', ['-q', '-F', '-t', 'ext4', disk])
  await run('debugfs', ['-w', '-R', 'set_super_value state 2', disk])
  await expect(findUsed(disk)).rejects.toThrow('expected a cleanly unmounted ext4 filesystem, got one that is not clean with errors')
})

test('of swap space only the header is taken, which is enough to use it again', async () => {
  const [disk, copy] = [join(folder, 'disk'), join(folder, 'copy')]
  await makeOldDisk(disk, 16 * mib)
  await run('mkswap', ['--uuid', '6c1f2d8e-7b1c-4e0a-9d2f-0a1b2c3d4e5f', disk])
  const { filesystem, used } = await findUsed(disk)
  expect({ filesystem, used }).toEqual({ filesystem: 'swap', used: [{ startBytes: 0, endBytes: 4096 }] })
  await copyRanges(disk, copy, used)
  expect(await run('blkid', ['--probe', '--match-tag', 'UUID', '--output', 'value', copy])).toBe('6c1f2d8e-7b1c-4e0a-9d2f-0a1b2c3d4e5f')
})

test.each([
  ['LUKS', '4c554b53babe0001', 'crypto_LUKS is not looked into'],
  ['nothing known', '', 'nothing known was found on it'],
])('a partition that holds %s is captured whole, and the log says why', async (_, signature, reason) => {
  const disk = join(folder, 'disk')
  await makeOldDisk(disk, 16 * mib)
  await run('wipefs', ['--all', disk])
  if (signature !== '') await overwrite(disk, 0, Buffer.concat([Buffer.from(signature, 'hex'), Buffer.alloc(584)]))
  const lines: string[] = []
  const { used } = await findUsed(disk, pino({ level: 'info' }, { write: (line: string) => void lines.push(line) }))
  expect(used).toEqual([{ startBytes: 0, endBytes: 16 * mib }])
  expect(JSON.parse(lines[0]!)).toMatchObject({ msg: 'partition is captured whole', partition: 'p', reason })
})
