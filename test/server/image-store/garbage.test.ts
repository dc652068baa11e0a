import { mkdtemp, readdir, rm, unlink, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { openImageStore, type ImageStoreOptions, type ImageVersion } from '../../../server/image-store/open-image-store.ts'
import { planRetention } from '../../../server/image-store/plan-retention.ts'
import { startUpkeep } from '../../../server/image-store/start-upkeep.ts'
import { digestOf, filled, storeSample } from './sample-image.ts'

const hourMs = 3_600_000
const setUp = async (options: ImageStoreOptions = {}) => {
  const directory = await mkdtemp(join(tmpdir(), 'ingot-garbage-'))
  onTestFinished(() => rm(directory, { recursive: true }))
  const store = await openImageStore(directory, options)
  onTestFinished(() => store.close())
  const { files } = store.registry
  return {
    directory,
    store,
    files,
    /** Makes all that is stored look as if it had come so long ago. */
    age: async (hours: number) => {
      const at = new Date(Date.now() - hours * hourMs)
      for (const { digest } of await files.list()) await utimes(files.path(digest), at, at)
    },
    publish: async (version: string, value: number) => store.publish('debian-12', version, (await storeSample(store, [filled(0, 1), filled(1024 * 1024, value)])).bytes),
  }
}
const dayAgo = () => new Date(Date.now() - 24 * hourMs)

test('garbage collection takes what no image needs, and nothing that is new', async () => {
  const { store, files, age, publish } = await setUp()
  await publish('job-1', 2)
  await publish('job-2', 3)
  const orphan = Buffer.from('left behind')
  await files.write(digestOf(orphan), [orphan])
  await age(48)
  const recent = Buffer.from('on its way')
  await files.write(digestOf(recent), [recent])
  const expected = { recent: { blobs: 1, bytes: recent.length }, removed: { blobs: 1, bytes: orphan.length } }
  expect(await store.registry.collectGarbage({ keepSince: dayAgo(), dryRun: true })).toMatchObject({ ...expected, dryRun: true })
  expect(await files.size(digestOf(orphan))).toBe(orphan.length)
  expect(await store.registry.collectGarbage({ keepSince: dayAgo() })).toMatchObject(expected)
  expect([await files.size(digestOf(orphan)), await files.size(digestOf(recent))]).toEqual([undefined, recent.length])
  for (const version of ['job-1', 'job-2']) await store.publish('debian-12', `${version}-again`, (await store.registry.read('debian-12', version))!.bytes)
})

test('what one version shares with a deleted one stays', async () => {
  const { store, files, age, publish } = await setUp()
  const first = await publish('job-1', 2)
  const second = await publish('job-2', 3)
  await store.remove('debian-12', 'job-1')
  await age(48)
  await store.registry.collectGarbage({ keepSince: dayAgo() })
  const own = first.manifest.layers[1]!.digest
  expect(await files.size(own)).toBeUndefined()
  for (const { digest } of second.manifest.layers) expect(await files.size(digest)).toBeGreaterThan(0)
  await expect(store.resolve('debian-12', 'job-1')).rejects.toMatchObject({ code: 'image-unknown' })
})

test('a blob that a worker was told is there stays for a day, though it is old and nobody needs it yet', async () => {
  const { store, files, age } = await setUp()
  const blob = Buffer.from('known to the worker')
  await files.write(digestOf(blob), [blob])
  await age(48)
  expect(await files.keep(digestOf(blob))).toBe(blob.length)
  await store.registry.collectGarbage({ keepSince: dayAgo() })
  expect(await files.size(digestOf(blob))).toBe(blob.length)
})

test('an image whose blobs went while it was read back is not published', async () => {
  const { store, files } = await setUp()
  const { bytes, manifest } = await storeSample(store, [filled(0, 1)])
  const published = store.publish('debian-12', 'job-1', bytes, async () => files.remove(manifest.layers[0]!.digest))
  await expect(published).rejects.toMatchObject({ code: 'blob-unknown' })
  expect(await store.list()).toEqual([])
})

test('garbage collection removes nothing as long as a manifest cannot be read', async () => {
  const { store, files, age, publish } = await setUp()
  const { digest } = await publish('job-1', 2)
  await publish('job-2', 3)
  await files.write(digestOf(Buffer.from('x')), [Buffer.from('x')])
  await age(48)
  await unlink(files.path(digest))
  const before = await readdir(join(files.path(digest), '..'))
  await expect(store.registry.collectGarbage({ keepSince: dayAgo() })).rejects.toMatchObject({ code: 'image-corrupt', message: expect.stringContaining('debian-12:job-1') })
  expect(await readdir(join(files.path(digest), '..'))).toEqual(before)
})

test('two processes on one directory: a version published by the one is safe from the other', async () => {
  const { directory, store, files, age, publish } = await setUp()
  const other = await openImageStore(directory)
  onTestFinished(() => other.close())
  await Promise.all([publish('job-1', 2), other.publish('debian-12', 'job-2', (await storeSample(other, [filled(0, 9)])).bytes)])
  await age(48)
  await Promise.all([store, other].map((each) => each.registry.collectGarbage({ keepSince: dayAgo() })))
  expect((await other.list()).map(({ version }) => version).sort()).toEqual(['job-1', 'job-2'])
  expect((await files.list()).length).toBe(6)
})

const version = (name: string, days: number): ImageVersion => ({ name, version: `${name}-${days}`, digest: `sha256:${'0'.repeat(64)}`, manifestBytes: 1, publishedAt: new Date(Date.UTC(2026, 10, 24) - days * 24 * hourMs).toISOString() })
test.each([
  ['no rule: all stay', {}, []],
  ['a count', { keep: { count: 2 } }, ['web-9', 'web-7']],
  ['days', { keep: { days: 5 } }, ['db-30', 'web-9', 'web-7']],
  ['both: among the newest, or young', { keep: { count: 1, days: 8 } }, ['db-30', 'web-9']],
  ['the newest stays however old', { keep: { days: 0 } }, ['db-30', 'web-9', 'web-7', 'web-3']],
  ['a name of its own rule', { keep: { count: 9 }, names: { web: { keep: { count: 1 } } } }, ['web-9', 'web-7', 'web-3']],
])('retention by %s', (_, rules, expected) => {
  const versions = [version('db', 30), version('db', 20), version('web', 9), version('web', 7), version('web', 3), version('web', 1)]
  expect(planRetention(versions, rules, new Date(Date.UTC(2026, 10, 24))).map((each) => each.version)).toEqual(expected)
})

test('old versions go with their blobs, but none that is in use or was pulled within a day', async () => {
  const inUse = new Set(['job-2'])
  const { directory, store, files, age, publish } = await setUp({ useOf: async ({ version }) => (inUse.has(version) ? 'job web-1 writes it to a disk' : undefined) })
  for (const [index, name] of ['job-1', 'job-2', 'job-3', 'job-4'].entries()) await publish(name, index + 2)
  const abandoned = join(directory, 'uploads', await store.uploads.begin())
  await age(48)
  await utimes(abandoned, dayAgo().getTime() / 1000 - 60, dayAgo().getTime() / 1000 - 60)
  await files.keep((await store.resolve('debian-12', 'job-3')).digest)
  const upkeep = startUpkeep({ store, rules: { keep: { count: 1 } } })
  onTestFinished(() => upkeep.close())
  await upkeep.run()
  expect((await store.list()).map((each) => each.version)).toEqual(['job-2', 'job-3', 'job-4'])
  expect((await files.list()).length).toBe(1 + 1 + 3 + 3)
  expect(await readdir(join(directory, 'uploads'))).toEqual([])
  await expect(store.remove('debian-12', 'job-2')).rejects.toMatchObject({ code: 'image-in-use', message: 'debian-12:job-2 is in use: job web-1 writes it to a disk' })
})

test('F3 an image that was received and not proven is invisible, can be looked into for a day, and then goes with its blobs; one that waits for its proof stays', async () => {
  const clock = { now: new Date() }
  const { store, files, age } = await setUp({ now: () => clock.now })
  const receive = async (version: string, value: number) => store.receive('debian-12', version, (await storeSample(store, [filled(0, 1), filled(1024 * 1024, value)])).bytes)
  const [unproven, proving, proven] = [await receive('job-1', 2), await receive('job-2', 3), await receive('job-3', 4)]
  await store.makeVisible('debian-12', 'job-3', proven.digest)
  expect((await store.list()).map(({ version }) => version)).toEqual(['job-3'])
  expect((await store.resolve('debian-12')).version).toBe('job-3')
  for (const { version, digest } of [unproven, proving]) {
    for (const reference of [version, digest]) await expect(store.resolve('debian-12', reference)).rejects.toMatchObject({ code: 'image-unknown' })
  }
  const upkeep = startUpkeep({ store, rules: {}, now: () => clock.now, provingDigests: async () => new Set([proving.digest]) })
  onTestFinished(() => upkeep.close())
  await upkeep.run()
  expect(await store.received('debian-12', 'job-1', unproven.digest)).toMatchObject({ digest: unproven.digest })
  clock.now = new Date(clock.now.getTime() + 25 * hourMs)
  await age(48)
  await upkeep.run()
  expect(await store.received('debian-12', 'job-1', unproven.digest)).toBeUndefined()
  expect(await files.size(unproven.manifest.layers[1]!.digest)).toBeUndefined()
  expect(await store.received('debian-12', 'job-2', proving.digest)).toMatchObject({ digest: proving.digest })
  expect((await store.makeVisible('debian-12', 'job-2', proving.digest)).version).toBe('job-2')
})

test('an image that is the same as a proven one goes on being that when it is not proven itself', async () => {
  const clock = { now: new Date() }
  const { store, publish } = await setUp({ now: () => clock.now })
  const { digest } = await publish('job-1', 2)
  const { bytes } = (await store.registry.read('debian-12', digest))!
  expect((await store.receive('debian-12', 'job-2', bytes)).digest).toBe(digest)
  clock.now = new Date(clock.now.getTime() + 48 * hourMs)
  const upkeep = startUpkeep({ store, rules: {}, now: () => clock.now })
  onTestFinished(() => upkeep.close())
  await upkeep.run()
  expect((await store.list()).map(({ version }) => version)).toEqual(['job-1'])
})

test('what the oldest upload under way may count on stays however long it takes', async () => {
  const { store, files, age } = await setUp()
  await files.write(digestOf(Buffer.from('x')), [Buffer.from('x')])
  await age(40)
  const begun = { at: new Date(Date.now() - 48 * hourMs) as Date | undefined }
  const upkeep = startUpkeep({ store, rules: {}, oldestUpload: async () => begun.at })
  onTestFinished(() => upkeep.close())
  await upkeep.run()
  expect((await files.list()).length).toBe(1)
  begun.at = undefined
  await upkeep.run()
  expect((await files.list()).length).toBe(0)
})

test('files beside the blobs are none of ours', async () => {
  const { store, files } = await setUp()
  const strange = join(files.path(digestOf(Buffer.from('x'))), '..', 'README')
  await writeFile(strange, 'x')
  await store.registry.collectGarbage({ keepSince: new Date(Date.now() + hourMs) })
  expect(await readdir(join(strange, '..'))).toEqual(['README'])
})
