import { hash } from 'node:crypto'
import { open, readdir, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { run } from '../../../../appliance/run.ts'
import { imageFormatNames, openImageFile } from '../../../../server/image-store/export/open-image-file.ts'
import { readImageFile } from '../../../../server/image-store/export/read-image-file.ts'
import { writeImageFile } from '../../../../server/image-store/export/write-image-file.ts'
import { zeroFrame } from '../../../../server/image-store/export/zero-frame.ts'
import { openImageStore } from '../../../../server/image-store/open-image-store.ts'
import { parseManifest } from '../../../../server/image-store/parse-manifest.ts'
import { chunkSizeBytes, digestOf, makeSample, sampleConfig, storeSample } from '../sample-image.ts'
import { diskOf, makeFolder, publishShape, type Shape } from './exported-image.ts'

const mib = 1024 * 1024

/** Disks of 1 to 9 MiB whose size is a multiple of nothing but a sector, with chunks of several sizes. */
const shapes: fc.Arbitrary<Shape> = fc.tuple(fc.constantFrom(4096, 12288, 65536, chunkSizeBytes), fc.integer({ min: mib / 512, max: (9 * mib) / 512 })).chain(([chunk, sectors]) => {
  const diskSizeBytes = sectors * 512
  const last = Math.ceil(diskSizeBytes / chunk) - 1
  return fc
    .tuple(fc.uniqueArray(fc.integer({ min: 0, max: last }), { minLength: 1, maxLength: 12 }), fc.boolean())
    .map(([some, hasLast]) => ({ diskSizeBytes, chunkSizeBytes: chunk, used: [...new Set([...some, ...(hasLast ? [last] : [])])].sort((one, other) => one - other) }))
})

test('raw, qcow2 and raw.zst hold the same disk for qemu-img and zstd, whatever its size and its chunks', { timeout: 60_000 }, async () => {
  await fc.assert(
    fc.asyncProperty(shapes, async (shape) => {
      const folder = await makeFolder()
      const { store, chunks, open: opened } = await publishShape(shape)
      const path = (format: string) => join(folder, `disk.${format}`)
      for (const format of ['raw', 'qcow2', 'raw.zst'] as const) await writeImageFile(await opened(format), store.registry.blobs('debian-12'), path(format))
      expect((await readFile(path('raw'))).equals(diskOf(chunks, shape.diskSizeBytes))).toBe(true)
      await run('qemu-img', ['check', path('qcow2')])
      await run('qemu-img', ['compare', '-f', 'raw', '-F', 'qcow2', path('raw'), path('qcow2')])
      expect(JSON.parse(await run('qemu-img', ['info', '--output', 'json', path('qcow2')]))).toMatchObject({ 'virtual-size': shape.diskSizeBytes })
      await run('zstd', ['--quiet', '--decompress', path('raw.zst'), '-o', path('unpacked')])
      expect(await sha256(path('unpacked'))).toBe(await sha256(path('raw')))
    }),
    { numRuns: 12 },
  )
})

const sha256 = async (path: string): Promise<string> => hash('sha256', await readFile(path))

test('any range of any format is that stretch of the whole file', async () => {
  const shape = { diskSizeBytes: 7 * mib + 1536, chunkSizeBytes, used: [0, 1, 3, 7] }
  const { read } = await publishShape(shape)
  for (const format of imageFormatNames) {
    const whole = await read(format)
    const at = fc.integer({ min: 0, max: whole.length - 1 })
    // Around where chunks meet and gaps begin, and anywhere.
    const edge = fc.tuple(fc.integer({ min: 0, max: 7 }), fc.integer({ min: -2, max: 2 })).map(([index, by]) => Math.min(whole.length - 1, Math.max(0, index * mib + by)))
    await fc.assert(
      fc.asyncProperty(fc.oneof(at, edge), fc.oneof(at, edge), async (one, other) => {
        const [first, last] = [Math.min(one, other), Math.max(one, other)]
        expect((await read(format, { first, last })).equals(whole.subarray(first, last + 1))).toBe(true)
      }),
      { numRuns: 40 },
    )
  }
})

test('the same image is the same file in another store, byte for byte', async () => {
  const { store, image, chunks, read } = await publishShape({ diskSizeBytes: 3 * mib, chunkSizeBytes, used: [1] })
  const other = await openImageStore(await makeFolder())
  const { bytes } = await storeSample(other, chunks, sampleConfig({ diskSizeBytes: 3 * mib }))
  const copy = await other.publish('debian-12', 'job-1', bytes)
  expect(copy.digest).toBe(image.digest)
  expect((await store.list())[0]!.publishedAt).not.toBe((await other.list())[0]!.publishedAt)
  for (const format of imageFormatNames) {
    const file = await openImageFile(other, copy, format)
    expect(Buffer.concat(await Array.fromAsync(readImageFile(file, other.registry.blobs('debian-12')))).equals(await read(format))).toBe(true)
  }
})

test('a qcow2 with many tables and counts, of clusters that are small, is sound', async () => {
  const folder = await makeFolder()
  const store = await openImageStore(await makeFolder())
  // 4,500 clusters of 4 KiB: 3 blocks of refcounts of 2,048 each, and an L2 table for every 2 MiB of a disk of 24 MiB. The chunks are few that repeat.
  const chunks = Array.from({ length: 4500 }, (_, index) => ({ offsetBytes: (index + (index > 2000 ? 1100 : 0)) * 4096, bytes: Buffer.alloc(4096, 1 + (index % 7)) }))
  const diskSizeBytes = 24 * mib + 512
  const sample = makeSample(chunks, sampleConfig({ diskSizeBytes, chunkSizeBytes: 4096 }))
  for (const blob of new Map(sample.blobs.map((each) => [digestOf(each), each])).values()) await store.registry.blobs('x').write(digestOf(blob), [blob])
  // Not published: nothing of this needs to be read back.
  await store.registry.put('x', { tag: 'v1', bytes: sample.bytes, facts: parseManifest(sample.bytes) })
  const image = await store.resolve('x')
  await writeImageFile(await openImageFile(store, image, 'qcow2'), store.registry.blobs('x'), join(folder, 'qcow2'))
  expect(await run('qemu-img', ['check', join(folder, 'qcow2')])).toContain('No errors')
  await run('qemu-img', ['convert', '-f', 'qcow2', '-O', 'raw', join(folder, 'qcow2'), join(folder, 'raw')])
  expect((await readFile(join(folder, 'raw'))).equals(diskOf(chunks, diskSizeBytes))).toBe(true)
})

test('a disk of 16 TiB that holds 3 MiB is small in every format', { timeout: 60_000 }, async () => {
  const folder = await makeFolder()
  const diskSizeBytes = 16 * 2 ** 40 - mib
  const last = diskSizeBytes / mib - 1
  const { store, open: opened } = await publishShape({ diskSizeBytes, chunkSizeBytes, used: [0, 5_000_000, last] })
  const [raw, qcow2, packed] = await Promise.all((['raw', 'qcow2', 'raw.zst'] as const).map((format) => opened(format)))
  expect(raw!.sizeBytes).toBe(diskSizeBytes)
  await writeImageFile(qcow2!, store.registry.blobs('debian-12'), join(folder, 'qcow2'))
  expect(await run('qemu-img', ['check', join(folder, 'qcow2')])).toContain('No errors')
  expect(JSON.parse(await run('qemu-img', ['info', '--output', 'json', join(folder, 'qcow2')]))).toMatchObject({ 'virtual-size': diskSizeBytes, 'cluster-size': 65536 })
  expect(qcow2!.sizeBytes).toBeLessThan(4 * mib)
  // 16,384 frames of 1 GiB of zeros, 32 KiB each.
  expect(packed!.sizeBytes).toBeLessThan(540 * mib)
})

test('the last cluster of a disk that ends inside it is zero beyond the disk, also when the disk is made larger', async () => {
  const folder = await makeFolder()
  const { store, chunks, open: opened } = await publishShape({ diskSizeBytes: mib + 512, chunkSizeBytes, used: [1] })
  await writeImageFile(await opened('qcow2'), store.registry.blobs('debian-12'), join(folder, 'qcow2'))
  await run('qemu-img', ['resize', '-q', join(folder, 'qcow2'), '3M'])
  await run('qemu-img', ['check', join(folder, 'qcow2')])
  await run('qemu-img', ['convert', '-f', 'qcow2', '-O', 'raw', join(folder, 'qcow2'), join(folder, 'raw')])
  expect((await readFile(join(folder, 'raw'))).equals(diskOf(chunks, 3 * mib))).toBe(true)
})

test('files are sparse where their format can be: they take no more than what is not zero', async () => {
  const folder = await makeFolder()
  const { store, open: opened } = await publishShape({ diskSizeBytes: 64 * mib, chunkSizeBytes, used: [0, 40] })
  // Half of each chunk is zero.
  for (const [format, mostBytes] of [['raw', mib], ['qcow2', mib + 7 * 65536]] as const) {
    const path = join(folder, format)
    await writeImageFile(await opened(format), store.registry.blobs('debian-12'), path)
    const { blocks, size } = await stat(path)
    expect(size).toBe((await opened(format)).sizeBytes)
    expect(blocks * 512).toBeLessThanOrEqual(mostBytes)
  }
})

test('raw.zst is the stored chunks as they are, with a table by which seekable readers find them', async () => {
  const { image, store, read } = await publishShape({ diskSizeBytes: 6 * mib, chunkSizeBytes, used: [1, 2, 4] })
  const file = await read('raw.zst')
  for (const { digest } of image.manifest.layers) {
    const [blob] = await Array.fromAsync(await store.registry.blobs('debian-12').read(digest))
    expect(file.includes(blob as Buffer)).toBe(true)
  }
  // Footer: number of frames, descriptor, magic; before it the sizes of each frame.
  expect([file.readUInt32LE(file.length - 9), file[file.length - 5], file.readUInt32LE(file.length - 4)]).toEqual([6, 0, 0x8f92eab1])
  const table = file.subarray(file.length - 9 - 6 * 8 - 8)
  expect([table.readUInt32LE(0), table.readUInt32LE(4)]).toEqual([0x184d2a5e, 6 * 8 + 9])
  const sizes = Array.from({ length: 6 }, (_, index) => [table.readUInt32LE(8 + index * 8), table.readUInt32LE(12 + index * 8)] as const)
  expect(sizes.map(([, unpacked]) => unpacked)).toEqual(sizes.map(() => mib))
  expect(sizes.reduce((sum, [packed]) => sum + packed, 0)).toBe(file.length - table.length)
})

test('a gap of more than a frame can hold unpacks to zeros', async () => {
  const folder = await makeFolder()
  const { store, open: opened } = await publishShape({ diskSizeBytes: 2600 * mib, chunkSizeBytes, used: [1, 2500] })
  for (const format of ['raw', 'raw.zst'] as const) await writeImageFile(await opened(format), store.registry.blobs('debian-12'), join(folder, format))
  await run('zstd', ['--quiet', '--decompress', join(folder, 'raw.zst'), '-o', join(folder, 'unpacked')])
  await run('qemu-img', ['compare', '-f', 'raw', '-F', 'raw', join(folder, 'raw'), join(folder, 'unpacked')])
  expect((await stat(join(folder, 'unpacked'))).size).toBe(2600 * mib)
})

test('a frame of zeros unpacks to zeros, of any length', async () => {
  const folder = await makeFolder()
  const path = join(folder, 'zeros.zst')
  for (const lengthBytes of [1, 512, 128 * 1024, 128 * 1024 + 1, 5 * mib - 7]) {
    await writeFile(path, zeroFrame(lengthBytes))
    await run('zstd', ['--quiet', '--force', '--decompress', path])
    expect((await readFile(join(folder, 'zeros'))).equals(Buffer.alloc(lengthBytes))).toBe(true)
  }
})

test('chunks that are no multiple of any cluster have no qcow2, and that is told', async () => {
  const { open: opened } = await publishShape({ diskSizeBytes: mib, chunkSizeBytes: 5000, used: [0] })
  await expect(opened('qcow2')).rejects.toMatchObject({ code: 'image-invalid', message: expect.stringContaining('a multiple of 512 bytes, got 5000; export it as raw') })
})

test('F2 a flipped bit in a stored chunk is found in every format, the chunk is named, and no file stays', async () => {
  for (const format of imageFormatNames) {
    const folder = await makeFolder()
    const layout = await makeFolder()
    const { store, image, open: opened } = await publishShape({ diskSizeBytes: 6 * mib, chunkSizeBytes, used: [0, 2, 4] }, await openImageStore(layout))
    const { digest } = image.manifest.layers[1]!
    const stored = await open(join(layout, 'blobs/sha256', digest.slice(7)), 'r+')
    const byte = Buffer.alloc(1)
    await stored.read(byte, 0, 1, 100)
    await stored.write(Buffer.from([byte[0]! ^ 1]), 0, 1, 100)
    await stored.close()
    const write = async () => writeImageFile(await opened(format), store.registry.blobs('debian-12'), join(folder, 'disk'))
    await expect(write()).rejects.toMatchObject({ code: 'image-corrupt', message: expect.stringContaining(`the chunk at byte ${2 * mib} of the disk is damaged: blob ${digest}`) })
    expect(await readdir(folder)).toEqual([])
    // It was put aside, so now it is missing, which is no better.
    await expect(write()).rejects.toMatchObject({ code: 'image-corrupt', message: expect.stringContaining(`the chunk at byte ${2 * mib} of the disk is damaged`) })
  }
})
