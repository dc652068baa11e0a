import { mkdtemp, open, readdir, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { zstdCompressSync } from 'node:zlib'
import { expect, onTestFinished, test } from 'vitest'
import { maxBlobBytes } from '../../../server/image-store/blob-store.ts'
import { exportRaw } from '../../../server/image-store/export-raw.ts'
import { openImageStore } from '../../../server/image-store/open-image-store.ts'
import { chunkSizeBytes, digestOf, filled, sampleConfig, storeSample, type Chunk } from './sample-image.ts'

const setUp = async () => {
  const directory = await mkdtemp(join(tmpdir(), 'ingot-store-'))
  onTestFinished(() => rm(directory, { recursive: true }))
  return { directory, store: await openImageStore(directory) }
}
const blobPath = (directory: string, digest: string) => join(directory, 'blobs/sha256', digest.slice(7))

test('an image comes out as it went in, sparse, zero where no chunk is', async () => {
  const { directory, store } = await setUp()
  const holed = Buffer.alloc(chunkSizeBytes)
  holed.fill(7, 8192, 12000)
  const { bytes } = await storeSample(store, [filled(0, 1), { offsetBytes: 2 * chunkSizeBytes, bytes: holed }])
  await store.publish('debian-12', 'job-1', bytes)
  const path = join(directory, 'out.raw')
  await exportRaw(store, 'debian-12', path)
  const expected = Buffer.concat([Buffer.alloc(chunkSizeBytes, 1), Buffer.alloc(chunkSizeBytes), holed, Buffer.alloc(chunkSizeBytes)])
  expect((await readFile(path)).equals(expected)).toBe(true)
  expect((await stat(path)).blocks * 512).toBe(chunkSizeBytes + 4096)
})

test('a disk that is no multiple of the chunk ends with a short chunk', async () => {
  const { directory, store } = await setUp()
  const tail: Chunk = { offsetBytes: chunkSizeBytes, bytes: Buffer.alloc(5000, 9) }
  const { bytes } = await storeSample(store, [tail], sampleConfig({ diskSizeBytes: chunkSizeBytes + 5000 }))
  await store.publish('debian-12', 'job-1', bytes)
  await exportRaw(store, 'debian-12', join(directory, 'out.raw'))
  expect((await readFile(join(directory, 'out.raw'))).equals(Buffer.concat([Buffer.alloc(chunkSizeBytes), tail.bytes]))).toBe(true)
})

test('the newest version answers to the name alone and to latest, each to its version and its digest', async () => {
  const { directory, store } = await setUp()
  const first = await store.publish('debian-12', 'job-1', (await storeSample(store, [filled(0, 1)])).bytes)
  const second = await store.publish('debian-12', 'job-0', (await storeSample(store, [filled(0, 2)])).bytes)
  await store.publish('other', 'job-3', (await storeSample(store, [filled(0, 3)])).bytes)
  expect((await store.resolve('debian-12')).version).toBe('job-0')
  expect((await store.resolve('debian-12', 'latest')).digest).toBe(second.digest)
  expect((await store.resolve('debian-12', 'job-1')).digest).toBe(first.digest)
  expect((await store.resolve('debian-12', first.digest)).version).toBe('job-1')
  await expect(store.resolve('debian-12', 'job-9')).rejects.toMatchObject({ code: 'image-unknown' })
  expect((await (await openImageStore(directory)).list()).map(({ name, version }) => `${name}:${version}`)).toEqual(['debian-12:job-1', 'debian-12:job-0', 'other:job-3'])
})

test('F3 a version never changes; the same contents again are no error', async () => {
  const { store } = await setUp()
  const { bytes } = await storeSample(store, [filled(0, 1)])
  const first = await store.publish('debian-12', 'job-1', bytes)
  expect(await store.publish('debian-12', 'job-1', bytes)).toEqual(first)
  const other = await storeSample(store, [filled(0, 2)])
  await expect(store.publish('debian-12', 'job-1', other.bytes)).rejects.toMatchObject({ code: 'image-exists' })
  expect((await store.list()).length).toBe(1)
})

test('many published at once are all in the index', async () => {
  const { store } = await setUp()
  const { bytes } = await storeSample(store, [filled(0, 1)])
  const versions = Array.from({ length: 20 }, (_, index) => `job-${index}`)
  await Promise.all(versions.map((version) => store.publish('debian-12', version, bytes)))
  expect((await store.list()).map(({ version }) => version).sort()).toEqual(versions.sort())
})

test('of two different images racing for one version exactly one is published', async () => {
  const { store } = await setUp()
  const images = await Promise.all([1, 2].map((value) => storeSample(store, [filled(0, value)])))
  const results = await Promise.allSettled(images.map(({ bytes }) => store.publish('debian-12', 'job-1', bytes)))
  expect(results.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected'])
  expect((await store.list()).length).toBe(1)
})

const short = zstdCompressSync(Buffer.alloc(1000, 1))
const good = zstdCompressSync(Buffer.alloc(chunkSizeBytes, 5))
test.each<[string, Chunk[], string]>([
  ['beyond the disk', [filled(4 * chunkSizeBytes, 1)], 'an offset inside the disk of 4194304 bytes, got 4194304'],
  ['not aligned', [filled(512, 1)], 'an offset that is a multiple of 1048576, got 512'],
  ['over another', [filled(0, 1), filled(0, 2)], 'layers[1]: expected an offset of at least 1048576'],
  ['out of order', [filled(chunkSizeBytes, 1), filled(0, 2)], 'layers[1]: expected an offset of at least 2097152'],
  ['declared short', [{ offsetBytes: 0, bytes: Buffer.alloc(512, 1) }], 'a length of 1048576, got 512'],
  ['shorter than declared', [{ offsetBytes: 0, bytes: Buffer.alloc(0), lengthBytes: chunkSizeBytes, blob: short }], 'expected a zstd frame of 1048576 bytes, got one of 1000'],
  ['longer than declared', [{ offsetBytes: 0, bytes: Buffer.alloc(2 * chunkSizeBytes, 1), lengthBytes: chunkSizeBytes }], 'got a longer one'],
  ['no zstd', [{ offsetBytes: 0, bytes: Buffer.alloc(0), lengthBytes: chunkSizeBytes, blob: Buffer.from('no frame at all') }], 'expected a zstd frame'],
  ['cut', [{ offsetBytes: 0, bytes: Buffer.alloc(0), lengthBytes: chunkSizeBytes, blob: good.subarray(0, -1) }], 'expected a zstd frame'],
  ['followed by something', [{ offsetBytes: 0, bytes: Buffer.alloc(0), lengthBytes: chunkSizeBytes, blob: Buffer.concat([good, Buffer.from('more')]) }], 'got 4 bytes after it'],
])('F2 an image with a chunk that is %s is refused, and nothing is visible', async (_, chunks, message) => {
  const { store } = await setUp()
  const { bytes } = await storeSample(store, chunks)
  const failure = await store.publish('debian-12', 'job-1', bytes).catch((error: unknown) => error)
  expect(failure).toMatchObject({ code: 'image-invalid', message: expect.stringContaining(message) })
  expect(await store.list()).toEqual([])
})

test.each([
  ['no JSON', () => Buffer.from('{'), 'expected JSON'],
  ['an unknown key', (manifest: object) => Buffer.from(JSON.stringify({ ...manifest, subjekt: 1 })), 'subjekt: expected a known key'],
  ['no layers', (manifest: object) => Buffer.from(JSON.stringify({ ...manifest, layers: [] })), 'layers: expected at least 1 of them'],
  ['another kind', (manifest: object) => Buffer.from(JSON.stringify({ ...manifest, artifactType: 'text/plain' })), 'artifactType: expected "application/vnd.ingot.disk.v1"'],
])('a manifest with %s is refused', async (_, change, message) => {
  const { store } = await setUp()
  const { manifest } = await storeSample(store, [filled(0, 1)])
  const failure = await store.publish('debian-12', 'job-1', change(manifest)).catch((error: unknown) => error)
  expect(failure).toMatchObject({ code: 'image-invalid', message: expect.stringContaining(message) })
})

test('names that could be paths and the version latest are refused', async () => {
  const { store } = await setUp()
  const { bytes } = await storeSample(store, [filled(0, 1)])
  for (const [name, version] of [['../x', 'job-1'], ['a/b', 'job-1'], ['', 'job-1'], ['debian', '../job'], ['debian', 'latest'], ['debian', '']] as const) {
    await expect(store.publish(name, version, bytes)).rejects.toMatchObject({ code: 'image-invalid' })
  }
})

test('F2 a flipped bit in a stored blob makes publishing fail, and the chunk can be sent again', async () => {
  const { directory, store } = await setUp()
  const { bytes, manifest } = await storeSample(store, [filled(0, 1), filled(chunkSizeBytes, 2)])
  const digest = manifest.layers[1]!.digest
  const blob = await readFile(blobPath(directory, digest))
  const file = await open(blobPath(directory, digest), 'r+')
  await file.write(Buffer.from([blob[10]! ^ 4]), 0, 1, 10)
  await file.close()
  await expect(store.publish('debian-12', 'job-1', bytes)).rejects.toMatchObject({ code: 'image-corrupt' })
  expect(await store.list()).toEqual([])
  expect(await store.registry.blobs('x').size(digest)).toBeUndefined()
  await store.registry.blobs('x').write(digest, [blob])
  await store.publish('debian-12', 'job-1', bytes)
})

test('F2 a blob cut short on disk makes publishing and exporting fail, and leaves no exported file', async () => {
  const { directory, store } = await setUp()
  const { bytes, manifest } = await storeSample(store, [filled(0, 1)])
  await store.publish('debian-12', 'job-1', bytes)
  await truncate(blobPath(directory, manifest.layers[0]!.digest), 20)
  await expect(exportRaw(store, 'debian-12', join(directory, 'out.raw'))).rejects.toMatchObject({ code: 'image-corrupt' })
  expect((await readdir(directory)).filter((name) => name.startsWith('out'))).toEqual([])
  await expect(store.publish('debian-12', 'job-2', bytes)).rejects.toMatchObject({ code: 'blob-unknown' })
})

test('a manifest that names a blob which is not there, or gives it another size, is refused', async () => {
  const { store } = await setUp()
  const { manifest } = await storeSample(store, [filled(0, 1)])
  const layer = manifest.layers[0]!
  const publish = (change: object) => store.publish('debian-12', 'job-1', Buffer.from(JSON.stringify({ ...manifest, layers: [{ ...layer, ...change }] })))
  await expect(publish({ digest: digestOf(Buffer.from('missing')) })).rejects.toMatchObject({ code: 'blob-unknown' })
  await expect(publish({ size: layer.size + 1 })).rejects.toMatchObject({ code: 'image-invalid' })
})

test('F5 a version is not published when the confirmation fails after reading back', async () => {
  const { store } = await setUp()
  const { bytes } = await storeSample(store, [filled(0, 1)])
  const confirm = () => Promise.reject(new Error('the claim has ended'))
  await expect(store.publish('debian-12', 'job-1', bytes, confirm)).rejects.toThrow('the claim has ended')
  expect(await store.list()).toEqual([])
  await store.publish('debian-12', 'job-1', bytes)
})

test('a blob with a wrong digest, beyond the limit, or from a stream that breaks leaves nothing', async () => {
  const { directory, store } = await setUp()
  const wanted = digestOf(Buffer.from('wanted'))
  await expect(store.registry.blobs('x').write(wanted, [Buffer.from('other')])).rejects.toMatchObject({ code: 'blob-refused' })
  const tooLarge = Array.from({ length: maxBlobBytes / chunkSizeBytes + 1 }, () => Buffer.alloc(chunkSizeBytes))
  await expect(store.registry.blobs('x').write(wanted, tooLarge, { maxBytes: maxBlobBytes })).rejects.toMatchObject({ code: 'blob-too-large' })
  const breaking = async function* () {
    yield Buffer.from('want')
    throw new Error('cut')
  }
  await expect(store.registry.blobs('x').write(wanted, breaking())).rejects.toThrow('cut')
  await expect(store.registry.blobs('x').write('sha256:../../x', [])).rejects.toMatchObject({ code: 'blob-refused' })
  expect(await readdir(join(directory, 'blobs/sha256'))).toEqual([])
  expect(await readdir(join(directory, 'uploads'))).toEqual([])
})

test('an index that cannot be read is an error and not an empty list', async () => {
  const { directory } = await setUp()
  await writeFile(join(directory, 'index.json'), '{"schemaVersion":2}')
  await expect(openImageStore(directory)).rejects.toMatchObject({ code: 'image-corrupt' })
})
