import { randomBytes } from 'node:crypto'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { run } from '../../../appliance/run.ts'
import { restoreImage } from '../../../appliance/restore/restore-image.ts'
import { planLayout } from '../../../images/layout.ts'
import type { Step } from '../../../images/plan.ts'
import { mebibyte } from '../../../images/size.ts'
import { chunkSizeBytes, type ImageConfig } from '../../../server/api/image.ts'
import { createComponentStore, type ComponentStore } from '../../../server/components/component-store.ts'
import { digestOf } from '../../server/image-store/sample-image.ts'
import { createImageShelf, type ImageShelf } from './image-shelf.ts'
import { makeLoopMachine, makeSmallRootfs, type LoopMachine } from './loop-machine.ts'

/*
 * Builds on real block devices that start from what is there already. Filesystems are ext4 only, since not every kernel that runs tests knows vfat.
 */

const layout = planLayout('web', 128 * mebibyte, [
  { name: 'srv', type: 'linux', filesystem: 'ext4', mount: '/srv', size: '25%' },
  { name: 'root', type: 'linux-root', filesystem: 'ext4', mount: '/', size: 'rest' },
])
if ('expected' in layout) throw new Error(layout.expected)
const disk = { minSizeBytes: layout.diskSizeBytes }
const tag = `_steps-${'0'.repeat(64)}`
const paddingBytes = 12 * mebibyte

let folder: string
let components: ComponentStore
let install: Step[]
/** What the first build kept and published as `web-1`, and what reading its disk again gives as `whole`. */
let first: { shelf: ImageShelf; performed: string[]; sentBytes: number }
let shelf: ImageShelf
let machines: LoopMachine[]

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ingot-layers-'))
  components = createComponentStore(join(folder, 'components'))
  machines = []
  install = [
    { kind: 'partition', disk, ...layout },
    { kind: 'install-rootfs', component: await makeSmallRootfs(components, folder, randomBytes(paddingBytes)) },
  ]
  shelf = createImageShelf()
  const builder = await machine()
  const steps = [...install, snapshot, await file('/etc/page', 'one'), await script('cat /padding > /srv/copy'), ...finish]
  const performed = await builder.perform(steps, shelf, 'web-1')
  first = { shelf, performed, sentBytes: bytesOf(shelf.sent) }
  await builder.captureWhole(shelf, 'whole')
}, 60_000)
beforeEach(() => (shelf = createImageShelf(first.shelf)))
afterEach(async () => {
  for (const machine of machines.splice(0)) await machine.remove()
})
afterAll(() => rm(folder, { recursive: true }))

const machine = async ({ sizeBytes = layout.diskSizeBytes, isScratch = true } = {}): Promise<LoopMachine> => {
  const made = await makeLoopMachine(sizeBytes, components, { isScratch })
  machines.push(made)
  return made
}
const file = async (path: string, text: string): Promise<Step> => ({ kind: 'configure-file', component: await components.add('file', [Buffer.from(text)]), path, mode: '0644' })
const script = async (text: string): Promise<Step> => ({ kind: 'configure-script', component: await components.add('script', [Buffer.from(`#!/bin/sh\n${text}\n`)]) })
const snapshot: Step = { kind: 'snapshot', image: 'web', tag }
const finish: Step[] = [{ kind: 'generalise' }, { kind: 'image', image: 'web' }]

/** Writes an image to a file, whole, and looks at the files of its partition number `partition`. */
async function inspect(version: string, partition = 2): Promise<{ read: (path: string) => Promise<string>; sizeOf: (path: string) => Promise<number>; config: ImageConfig; raw: string }> {
  const raw = join(folder, `${version}.raw`)
  const manifest = shelf.manifest(version)
  const config = JSON.parse(Buffer.from(shelf.blobs.get(manifest.config.digest)!).toString()) as ImageConfig
  await writeFile(raw, '')
  const readBlob = async (digest: string) => new Uint8Array(shelf.blobs.get(digest)!)
  await restoreImage({ manifest, config, path: raw, readBlob, run, signal: new AbortController().signal, onProgress: () => {} })
  const { startBytes, sizeBytes } = config.partitions[partition - 1]!
  const part = join(folder, `${version}.part`)
  await run('dd', [`if=${raw}`, `of=${part}`, 'bs=1M', `skip=${startBytes / mebibyte}`, `count=${sizeBytes / mebibyte}`, 'conv=sparse', 'status=none'])
  await run('e2fsck', ['-f', '-n', part])
  const ask = (command: string, path: string) => run('debugfs', ['-R', `${command} ${path}`, part])
  const sizeOf = async (path: string) => Number(/Size: (\d+)/.exec(await ask('stat', path))?.[1])
  return { read: (path) => ask('cat', path), sizeOf, config, raw }
}
const bytesOf = (digests: readonly string[]) => digests.reduce((sum, digest) => sum + shelf.blobs.get(digest)!.byteLength, 0)

describe('a build whose first steps are unchanged', () => {
  test('starts from what the first one kept, and moves and sends only what changed', { timeout: 60_000 }, async () => {
    expect(first.performed).toEqual(['partition', 'install-rootfs', 'snapshot', 'configure-file', 'configure-script', 'generalise', 'image'])
    const again = await machine()
    const performed = await again.perform([...install, snapshot, await file('/etc/page', 'two'), ...finish], shelf, 'web-2')
    expect(performed).toEqual(['configure-file', 'generalise', 'image'])
    expect(bytesOf([...shelf.sent, ...shelf.fetched])).toBeLessThan(first.sentBytes / 10)
    const [one, two] = [await inspect('web-1'), await inspect('web-2')]
    expect([await one.read('/etc/page'), await two.read('/etc/page')]).toEqual(['one', 'two'])
    expect(await two.read('/etc/fstab')).toBe(await one.read('/etc/fstab'))
    // What the disk holds is parts of a system: it must not look like one.
    expect((await readFile(again.disk.file)).subarray(0, mebibyte).equals(Buffer.alloc(mebibyte))).toBe(true)
  })

  test('has the image that reading the whole disk again would have given', () => {
    expect(shelf.manifest('web-1').layers).toEqual(shelf.manifest('whole').layers)
    expect(shelf.manifest('web-1').layers.length).toBeGreaterThan(2 * (paddingBytes / chunkSizeBytes))
    expect(bytesOf(first.shelf.sent)).toBeLessThan(3 * paddingBytes)
  })

  test('a job that fails after those steps keeps them for the next one', { timeout: 60_000 }, async () => {
    const empty = createImageShelf()
    const failing = (await machine()).perform([...install, snapshot, await script('exit 3'), ...finish], empty, 'web-1')
    await expect(failing).rejects.toMatchObject({ exitCode: 3 })
    expect([...empty.manifests.keys()]).toEqual([tag, expect.stringMatching(/^sha256:/)])
    expect(await (await machine()).perform([...install, snapshot, await script('exit 0'), ...finish], empty, 'web-2')).not.toContain('install-rootfs')
  })

  test('F1 a disk that holds data is not written, though only parts of a system would be', { timeout: 60_000 }, async () => {
    const other = await machine({ isScratch: false })
    const before = await run('sha256sum', [other.disk.file])
    await expect(other.perform([...install, snapshot, ...finish], shelf, 'web-2')).rejects.toThrow('is not marked as scratch for this machine')
    expect(await run('sha256sum', [other.disk.file])).toBe(before)
  })

  test('F2 a part that the server lost or changed fails the job, and the log tells which', { timeout: 60_000 }, async () => {
    const { layers } = shelf.manifest(tag)
    for (const { digest } of layers.slice(1)) shelf.blobs.set(digest, Buffer.from('something else'))
    const other = await machine()
    await expect(other.perform([...install, snapshot, ...finish], shelf, 'web-2')).rejects.toThrow()
    expect(other.errors.join()).toMatch(/chunk at \d+: expected a blob of \d+ bytes, got 14/)
    expect(shelf.manifests.has('web-2')).toBe(false)
  })
})

describe('a recipe that starts from an image', () => {
  const startFrom = (version: string, diskSizeBytes: number): Step => ({
    ...{ kind: 'start-from', disk: { minSizeBytes: diskSizeBytes }, diskSizeBytes, image: 'web', version },
    digest: digestOf(shelf.manifests.get(version)!),
  })

  test('gets its system and partitions, the last one grown, and names it as the base', { timeout: 60_000 }, async () => {
    const steps = [startFrom('web-1', 192 * mebibyte), await file('/etc/more', 'two'), ...finish]
    await (await machine({ sizeBytes: 256 * mebibyte })).perform(steps, shelf, 'more-1')

    expect(bytesOf([...shelf.sent, ...shelf.fetched])).toBeLessThan(first.sentBytes / 5)
    const digest = digestOf(shelf.manifests.get('web-1')!)
    expect(shelf.manifest('more-1').annotations).toEqual({ 'org.opencontainers.image.base.name': 'web:web-1', 'org.opencontainers.image.base.digest': digest })
    const { read, config, raw } = await inspect('more-1')
    expect([await read('/etc/page'), await read('/etc/more')]).toEqual(['one', 'two'])
    expect(config).toMatchObject({ diskSizeBytes: 192 * mebibyte, partitions: [{ mountPoint: '/srv' }, { mountPoint: '/', startBytes: 32 * mebibyte, sizeBytes: 159 * mebibyte }] })
    expect(await run('sfdisk', ['--verify', raw])).toContain('No errors detected')
  })

  test('keeps the result of its own install steps, which then takes the place of the image', { timeout: 60_000 }, async () => {
    const own: Step = { kind: 'snapshot', image: 'web', tag: `_steps-${'1'.repeat(64)}` }
    const steps = async (page: string) => [startFrom('web-1', layout.diskSizeBytes), await script('cat /padding > /srv/installed'), own, await file('/etc/page', page), ...finish]
    expect(await (await machine()).perform(await steps('one'), shelf, 'more-1')).toContain('start-from')
    shelf.sent.length = 0
    shelf.fetched.length = 0
    expect(await (await machine()).perform(await steps('two'), shelf, 'more-2')).toEqual(['configure-file', 'generalise', 'image'])
    expect(bytesOf([...shelf.sent, ...shelf.fetched])).toBeLessThan(paddingBytes / 2)
    expect(await (await inspect('more-2')).read('/etc/page')).toBe('two')
    expect(await (await inspect('more-2', 1)).sizeOf('/installed')).toBe(paddingBytes)
  })
})
