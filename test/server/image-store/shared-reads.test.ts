import { randomBytes } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeEach, expect, onTestFinished, test } from 'vitest'
import { makeLayoutFolders, openBlobFiles, type BlobFiles } from '../../../server/image-store/blob-files.ts'
import type { BlobStore } from '../../../server/image-store/blob-store.ts'
import { createSharedReads, sharedBlobBytes } from '../../../server/image-store/shared-reads.ts'
import { digestOf } from './sample-image.ts'

let files: BlobFiles
/** The store, with the digests that were read from it. */
let counted: BlobStore
let reads: string[]

beforeEach(async () => {
  const directory = await mkdtemp(join(tmpdir(), 'ingot-reads-'))
  onTestFinished(() => rm(directory, { recursive: true }))
  await makeLayoutFolders(directory)
  files = openBlobFiles(directory)
  reads = []
  counted = {
    ...files,
    read: (digest, range) => (reads.push(digest), files.read(digest, range)),
    bytes: (digest) => (reads.push(digest), files.bytes(digest)),
  }
})

const store = async (bytes: Buffer): Promise<string> => {
  const digest = digestOf(bytes)
  await files.write(digest, [bytes])
  return digest
}

test('a blob that 50 ask for at once, and one more soon after, is read once', async () => {
  const bytes = randomBytes(1024 * 1024)
  const digest = await store(bytes)
  const shared = createSharedReads()
  const got = await Promise.all(Array.from({ length: 50 }, () => shared.read('web', counted, digest)))
  got.push(await shared.read('web', counted, digest))
  expect(got.every((each) => each?.equals(bytes))).toBe(true)
  expect(reads).toEqual([digest])
})

test('what is held is bounded: a blob that many others came after is read again', async () => {
  const digests: string[] = []
  for (let number = 0; number < 70; number++) digests.push(await store(randomBytes(1024 * 1024)))
  const shared = createSharedReads()
  for (const digest of [...digests, digests[69]!, digests[0]!]) await shared.read('web', counted, digest)
  expect(reads).toEqual([...digests, digests[0]])
})

test('those who ask for more than is held at once all get it', async () => {
  const blobs = Array.from({ length: 70 }, () => randomBytes(1024 * 1024))
  for (const bytes of blobs) await store(bytes)
  const shared = createSharedReads()
  const got = await Promise.all(blobs.map((bytes) => shared.read('web', counted, digestOf(bytes))))
  expect(got.map((bytes) => digestOf(bytes!))).toEqual(blobs.map(digestOf))
})

test('F2 a damaged blob reaches nobody, and is put aside', async () => {
  const digest = await store(Buffer.from('right'))
  await writeFile(files.path(digest), 'wrong')
  const shared = createSharedReads()
  const asked = await Promise.allSettled([shared.read('web', counted, digest), shared.read('web', counted, digest)])
  expect(asked).toMatchObject([{ status: 'rejected', reason: { code: 'image-corrupt' } }, { status: 'rejected', reason: { code: 'image-corrupt' } }])
  expect(await shared.read('web', counted, digest)).toBeUndefined()
})

test('large and missing blobs are left to whoever sends them piece by piece', async () => {
  const shared = createSharedReads()
  expect(await shared.read('web', counted, await store(Buffer.alloc(sharedBlobBytes + 1)))).toBeUndefined()
  expect(await shared.read('web', counted, digestOf(Buffer.from('missing')))).toBeUndefined()
  expect(reads).toEqual([])
})
