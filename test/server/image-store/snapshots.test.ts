import { utimes } from 'node:fs/promises'
import { expect, onTestFinished, test } from 'vitest'
import { mediaTypes } from '../../../server/api/media-types.ts'
import { planSnapshotRetention, type UsedSnapshot } from '../../../server/image-store/plan-snapshot-retention.ts'
import { startUpkeep } from '../../../server/image-store/start-upkeep.ts'
import { curl } from '../http/curl.ts'
import { startImageServer } from './image-server.ts'
import { digestOf, filled, storeSample } from './sample-image.ts'

/*
 * What jobs keep of their first steps, in the store of images.
 */

const hourMs = 3_600_000
const tagOf = (number: number) => `_steps-${String(number).repeat(64)}`

const setUp = async () => {
  const server = await startImageServer()
  onTestFinished(server.close)
  const { store } = server
  const headers = ['--header', 'authorization: Bearer credential', '--header', 'ingot-claim: claim', '--header', `content-type: ${mediaTypes.manifest}`]
  return {
    ...server,
    /** A worker sends a manifest. */
    put: (reference: string, manifest: object) =>
      curl(`${server.url}/v2/debian-12/manifests/${reference}`, ['--request', 'PUT', ...headers], JSON.stringify(manifest)),
    get: (path: string) => curl(`${server.url}${path}`, headers),
    asOperator: (path: string) => curl(`${server.url}${path}`),
    sample: async (value: number) => ({ ...(await storeSample(store, [filled(0, 1), filled(1024 * 1024, value)])).manifest, artifactType: mediaTypes.snapshot }),
    /** Makes a blob look as if it had come so long ago. */
    age: async (digest: string, hours: number) => {
      const at = new Date(Date.now() - hours * hourMs)
      await utimes(store.registry.files.path(digest), at, at)
    },
  }
}

test('what a worker keeps of the first steps is found by its tag alone, and is never a version', async () => {
  const { put, get, asOperator, sample, store, published } = await setUp()
  const snapshot = await sample(2)
  expect(await put(tagOf(1), snapshot)).toMatchObject({ status: 201 })
  const found = await get(`/v2/debian-12/manifests/${tagOf(1)}`)
  expect([found.status, digestOf(found.body)]).toEqual([200, digestOf(Buffer.from(JSON.stringify(snapshot)))])
  expect([await store.list(), published]).toEqual([[], []])
  expect(JSON.parse((await asOperator('/v2/debian-12/tags/list')).body.toString())).toEqual({ name: 'debian-12', tags: [] })
  for (const reference of [undefined, tagOf(1), digestOf(found.body)]) await expect(store.resolve('debian-12', reference)).rejects.toMatchObject({ code: 'image-unknown' })
})

test('neither does an image come under such a tag, nor what was kept under a version', async () => {
  const { put, sample, store } = await setUp()
  const snapshot = await sample(2)
  expect(await put(tagOf(1), { ...snapshot, artifactType: mediaTypes.artifact })).toMatchObject({ status: 400 })
  expect(await put('job-1', snapshot)).toMatchObject({ status: 400 })
  expect(await store.registry.entries()).toEqual([])
})

test('F2 a part that the server lacks is told before anything is kept', async () => {
  const { put, sample, store } = await setUp()
  const snapshot = await sample(2)
  await store.registry.files.remove(snapshot.layers[1]!.digest)
  const answer = await put(tagOf(1), snapshot)
  expect([answer.status, JSON.parse(answer.body.toString())]).toMatchObject([400, { errors: [{ code: 'MANIFEST_BLOB_UNKNOWN' }] }])
  expect(await store.registry.entries()).toEqual([])
})

test('garbage collection leaves what is kept alone; upkeep takes the oldest, but none that a job may start from, nor one that was just used', async () => {
  const { put, get, sample, store, age } = await setUp()
  const ownChunks: string[] = []
  for (let number = 1; number <= 6; number++) {
    const snapshot = await sample(number + 1)
    await put(tagOf(number), snapshot)
    ownChunks.push(snapshot.layers[1]!.digest)
    for (const { digest } of snapshot.layers) await age(digest, 48)
    await age(digestOf(Buffer.from(JSON.stringify(snapshot))), 54 - number)
  }
  await get(`/v2/debian-12/manifests/${tagOf(2)}`)
  const upkeep = startUpkeep({ store, rules: {}, neededSnapshots: async () => new Set([tagOf(1)]) })
  onTestFinished(() => upkeep.close())
  await upkeep.run()
  expect((await store.registry.entries()).map(({ tag }) => tag)).toEqual([1, 2, 5, 6].map(tagOf))
  const isThere = await Promise.all(ownChunks.map(async (digest) => (await store.registry.files.size(digest)) !== undefined))
  expect(isThere).toEqual([true, true, false, false, true, true])
})

const snapshot = (name: string, number: number, hours: number, tag: string | undefined = tagOf(number)): UsedSnapshot => ({
  ...{ name, mediaType: '', digest: `${name}-${number}`, sizeBytes: 1, storedAt: '', usedAtMs: -hours * hourMs },
  ...(tag === undefined ? {} : { tag }),
})

test('of each image those stay that were used last, within a day, or that a job may start from; one that lost its tag goes after a day', () => {
  const snapshots = [1, 2, 3, 4, 5].map((number) => snapshot('web', number, 24 * number)).concat(snapshot('db', 1, 999))
  const over = (needed: string[], more: UsedSnapshot[] = []) =>
    planSnapshotRetention([...snapshots, ...more], { needed: new Set(needed), sinceMs: -24 * hourMs }).map(({ digest }) => digest)
  expect(over([])).toEqual(['web-4', 'web-5'])
  expect(over([tagOf(5)])).toEqual(['web-4'])
  const { tag: _, ...replaced } = snapshot('web', 6, 25)
  const { tag: __, ...fresh } = snapshot('web', 7, 1)
  expect(over([], [replaced, fresh])).toEqual(['web-6', 'web-4', 'web-5'])
  expect(planSnapshotRetention([1, 2, 3, 4, 5].map((number) => snapshot('web', number, number)), { needed: new Set(), sinceMs: -24 * hourMs })).toEqual([])
})
