import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { createComponentStore, type ComponentStore } from '../../../server/components/component-store.ts'

// sha256 of `abc`: FIPS 180-4, example of one block.
const abc = 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad'

let directory: string
let store: ComponentStore
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'ingot-components-'))
  store = createComponentStore(directory)
})
afterEach(() => rm(directory, { recursive: true }))

const bytes = async (digest: string) => Buffer.concat(await store.open(digest).toArray())

test('a component is found by its digest', async () => {
  const ref = await store.add('letters', [Buffer.from('a'), Buffer.from('bc')])
  expect(ref).toEqual({ name: 'letters', digest: `sha256:${abc}`, sizeBytes: 3 })
  expect(await store.sizeBytes(ref.digest)).toBe(3)
  expect((await bytes(ref.digest)).toString()).toBe('abc')
  expect(await readFile(join(directory, 'sha256', abc), 'utf8')).toBe('abc')
})

test('the same bytes are kept once', async () => {
  await store.add('one', [Buffer.from('abc')])
  await store.add('two', [Buffer.from('abc')])
  expect(await readdir(join(directory, 'sha256'))).toEqual([abc])
})

test('F3 a component that breaks off leaves nothing', async () => {
  const broken = (async function* () {
    yield Buffer.from('half')
    throw new Error('connection reset')
  })()
  await expect(store.add('half', broken)).rejects.toThrow('connection reset')
  expect(await readdir(join(directory, 'sha256'))).toEqual([])
})

test('a component that was changed on disk is not right', async () => {
  const ref = await store.add('letters', [Buffer.from('abc')])
  expect(await store.verify(ref)).toBe(true)
  await writeFile(store.path(ref.digest), 'abd')
  expect(await store.verify(ref)).toBe(false)
  await rm(store.path(ref.digest))
  expect(await store.verify(ref)).toBe(false)
})

test('an unknown component has no size, and what is no digest is no path', async () => {
  expect(await store.sizeBytes(`sha256:${abc}`)).toBeUndefined()
  expect(() => store.path('sha256:../../etc/passwd')).toThrow('expected a digest like sha256:9f86d0…, got sha256:../../etc/passwd')
})
