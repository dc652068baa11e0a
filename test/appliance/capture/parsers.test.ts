import { mkdtemp, open, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { fatClusterBits } from '../../../appliance/capture/fat-cluster-bits.ts'
import { parseDomainMap } from '../../../appliance/capture/parse-domain-map.ts'
import { parseDpkgStatus } from '../../../appliance/capture/parse-dpkg-status.ts'
import { parseMountInfo } from '../../../appliance/capture/unmount-tree.ts'
import { run } from '../../../appliance/run.ts'

test('the used ranges of a partclone map are its lines with +', () => {
  const map = '# Domain logfile\n# current_pos  current_status\n0x25800000     ?\n#      pos        size  status\n0x00000000  0x00001000  +\n0x00001000  0x2000  ?\n0x3000 0x1000 +\n'
  expect(parseDomainMap(map)).toEqual([{ startBytes: 0, endBytes: 4096 }, { startBytes: 12288, endBytes: 16384 }])
})

test('a map that is empty or holds something else is refused', () => {
  expect(() => parseDomainMap('0x0 ?\n')).toThrow('expected at least one used range')
  expect(() => parseDomainMap('0x0 ?\n0x0 0x1000 *\n')).toThrow('got "0x0 0x1000 *"')
})

test.each([[12, 4], [16, 32], [32, 64]] as const)('a FAT%i file system by mkfs.vfat is told by its count of clusters', async (bits, sizeMib) => {
  const folder = await mkdtemp(join(tmpdir(), 'ingot-fat-'))
  onTestFinished(() => rm(folder, { recursive: true }))
  const path = join(folder, 'fat.raw')
  await run('mkfs.vfat', ['-F', String(bits), '-C', path, String(sizeMib * 1024)])
  const file = await open(path)
  const { buffer } = await file.read(Buffer.alloc(512), 0, 512, 0)
  await file.close()
  expect(fatClusterBits(buffer)).toBe(bits)
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
  expect(parseMountInfo(text)).toEqual([{ mountPoint: '/target/with space', source: '/dev/vda3' }, { mountPoint: '/target/proc', source: 'proc' }])
})
