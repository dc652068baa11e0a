import { mkdtemp, open, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { mapExtents, parseChunkTree, parseExtentTree } from '../../../appliance/capture/filesystems/btrfs-used.ts'
import { parseDumpe2fs } from '../../../appliance/capture/filesystems/ext-used.ts'
import { parseFatGeometry } from '../../../appliance/capture/filesystems/fat-geometry.ts'
import { parseFreesp } from '../../../appliance/capture/filesystems/xfs-used.ts'
import { parseDpkgStatus } from '../../../appliance/capture/parse-dpkg-status.ts'
import { parseMountInfo } from '../../../appliance/capture/unmount-tree.ts'
import { run } from '../../../appliance/run.ts'

test('free blocks of ext4 are read group by group, and the count in the head is not taken for a group', async () => {
  const text = 'Filesystem state:         not clean\nFilesystem features:      has_journal 64bit\nBlock count:              100\nFree blocks:              4\nBlock size:               1024\n\nGroup 0: (Blocks 1-8192)\n  2 free blocks\n  Free blocks: 7-8, 10\n  Free inodes: 5\nGroup 1:\n  Free blocks: \n  Free blocks: 20\n'
  expect(await parseDumpe2fs(text.split('\n'))).toEqual({
    state: 'not clean',
    features: ['has_journal', '64bit'],
    blockBytes: 1024,
    blockCount: 100,
    freeBlocks: 4,
    free: [
      { startBytes: 7 * 1024, endBytes: 9 * 1024 },
      { startBytes: 10 * 1024, endBytes: 11 * 1024 },
      { startBytes: 20 * 1024, endBytes: 21 * 1024 },
    ],
  })
  await expect(parseDumpe2fs(['Block count: 1'])).rejects.toThrow('expected a line "Filesystem state:", got none')
})

test('free extents of XFS lie in their groups, and must make up the sum that is told', async () => {
  const lines = ['    agno    agbno      len', '       0        6        1', '       2       10        3', '   from      to extents  blocks    pct', '      1       1       1       1   0.03']
  const geometry = { blockBytes: 4096, groupBlocks: 100 }
  expect(await parseFreesp([...lines, 'total free blocks 4'], geometry)).toEqual([
    { startBytes: 6 * 4096, endBytes: 7 * 4096 },
    { startBytes: 210 * 4096, endBytes: 213 * 4096 },
  ])
  await expect(parseFreesp([...lines, 'total free blocks 5'], geometry)).rejects.toThrow('expected extents of 5 free blocks, got 4')
  await expect(parseFreesp(lines, geometry)).rejects.toThrow('xfs_db')
})

test('each copy of an extent of btrfs lies in a stripe of its chunk', async () => {
  const tree = '\titem 0 key (DEV_ITEMS DEV_ITEM 1) itemoff 16185 itemsize 98\n\titem 3 key (FIRST_CHUNK_TREE CHUNK_ITEM 1000) itemoff 1 itemsize 112\n\t\tlength 500 owner 2 stripe_len 65536 type METADATA|DUP\n\t\tnum_stripes 2 sub_stripes 1\n\t\t\tstripe 0 devid 1 offset 7000\n\t\t\tstripe 1 devid 1 offset 9000\n'
  const chunks = await parseChunkTree(tree.split('\n'))
  expect(chunks).toEqual([{ logicalBytes: 1000, lengthBytes: 500, type: 'METADATA|DUP', copies: [7000, 9000] }])
  const extents = await parseExtentTree(['\titem 0 key (1100 EXTENT_ITEM 20) itemoff 1', '\t\trefs 1', '\titem 1 key (1200 METADATA_ITEM 0) itemoff 1', '\titem 2 key (1000 BLOCK_GROUP_ITEM 500)'], 16)
  expect(mapExtents(extents, chunks)).toEqual([
    { startBytes: 7100, endBytes: 7120 },
    { startBytes: 9100, endBytes: 9120 },
    { startBytes: 7200, endBytes: 7216 },
    { startBytes: 9200, endBytes: 9216 },
  ])
  expect(() => mapExtents([{ startBytes: 1490, endBytes: 1510 }], chunks)).toThrow('expected the extent at 1490 in one chunk')
})

test.each([[12, 4], [16, 32], [32, 64]] as const)('a FAT%i file system by mkfs.vfat is told by its count of clusters', async (bits, sizeMib) => {
  const folder = await mkdtemp(join(tmpdir(), 'ingot-fat-'))
  onTestFinished(() => rm(folder, { recursive: true }))
  const path = join(folder, 'fat.raw')
  await run('mkfs.vfat', ['-F', String(bits), '-C', path, String(sizeMib * 1024)])
  const file = await open(path)
  const { buffer } = await file.read(Buffer.alloc(512), 0, 512, 0)
  await file.close()
  expect(parseFatGeometry(buffer).bits).toBe(bits)
})

test('only installed packages are listed, by name', () => {
  const status = [
    'Package: zlib1g\nStatus: install ok installed\nArchitecture: amd64\nVersion: 1:1.2.13\nDescription: compression\n Version: not this one',
    'Package: gone\nStatus: deinstall ok config-files\nVersion: 1',
    'Package: bash\nStatus: hold ok installed\nVersion: 5.2.15-2+b7',
    'Package: broken\nStatus: install ok half-installed\nVersion: 2\n',
  ]
  expect(parseDpkgStatus(status.join('\n\n'))).toEqual([{ name: 'bash', version: '5.2.15-2+b7' }, { name: 'zlib1g', version: '1:1.2.13' }])
})

test('mount points with white space are read, with or without optional fields', () => {
  const text = '36 35 98:0 / /target/with\\040space rw master:1 shared:2 - ext4 /dev/vda3 rw\n37 36 0:5 / /target/proc rw - proc proc rw\n'
  expect(parseMountInfo(text)).toEqual([{ mountPoint: '/target/with space', source: '/dev/vda3', number: '98:0' }, { mountPoint: '/target/proc', source: 'proc', number: '0:5' }])
})
