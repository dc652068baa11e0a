import { mkdtemp, open, readdir, rm, truncate, unlink, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Command } from 'commander'
import { expect, onTestFinished, test } from 'vitest'
import { addImage } from '../../../server/commands/image.ts'
import type { StoreReport } from '../../../server/image-store/check-store.ts'
import { openImageStore } from '../../../server/image-store/open-image-store.ts'
import { digestOf, filled, storeSample } from './sample-image.ts'

/** A data directory with two versions that share a chunk, and `ingot image`. */
const setUp = async () => {
  const data = await mkdtemp(join(tmpdir(), 'ingot-fsck-'))
  onTestFinished(() => rm(data, { recursive: true }))
  const store = await openImageStore(join(data, 'images'))
  onTestFinished(() => store.close())
  const publish = async (version: string, value: number) => store.publish('debian-12', version, (await storeSample(store, [filled(0, 1), filled(1024 * 1024, value)])).bytes)
  const [one, two] = [await publish('job-1', 2), await publish('job-2', 3)]
  const ingot = async (...args: string[]) => {
    const lines: string[] = []
    let code = 0
    const program = new Command('ingot').exitOverride()
    const context = { print: (line: string) => void lines.push(line), say: () => {}, signal: new AbortController().signal, exit: (wanted: number) => void (code = wanted) }
    addImage(program, context as never)
    await program.parseAsync(['image', ...args, '--data', data], { from: 'user' })
    return { code, lines }
  }
  const fsck = async (...args: string[]) => {
    const { code, lines } = await ingot('fsck', '--json', ...args)
    return { code, report: JSON.parse(lines[0]!) as StoreReport }
  }
  const { files } = store.registry
  const flip = async (digest: string) => {
    const file = await open(files.path(digest), 'r+')
    const byte = Buffer.alloc(1)
    await file.read(byte, 0, 1, 10)
    await file.write(Buffer.from([byte[0]! ^ 4]), 0, 1, 10)
    await file.close()
  }
  return { data, store, files, one, two, ingot, fsck, flip }
}
const brokenOf = ({ manifests }: StoreReport) => manifests.filter(({ problems }) => problems.length > 0).map(({ reference }) => reference)

test('a sound store is whole, and what no image needs is told apart', async () => {
  const { files, fsck, ingot } = await setUp()
  await files.write(digestOf(Buffer.from('orphan')), [Buffer.from('orphan')])
  const { code, report } = await fsck()
  expect([code, report.whole, report.damaged, report.orphans]).toEqual([0, true, [], { count: 1, bytes: 6 }])
  expect((await ingot('fsck')).lines.at(-1)).toMatch(/^7 blobs of .* read, 2 manifests checked: all whole$/)
})

test('F2 a flipped bit is told for each version that has it, is put aside by --repair, and heals with the next push', async () => {
  const { data, store, one, two, fsck, flip, ingot } = await setUp()
  const [shared, own] = [one.manifest.layers[0]!.digest, two.manifest.layers[1]!.digest]
  await flip(own)
  const found = await fsck()
  expect([found.code, brokenOf(found.report), found.report.damaged.map(({ digest, setAside }) => [digest, setAside])]).toEqual([1, ['job-2'], [[own, false]]])
  await flip(shared)
  const repaired = await fsck('--repair')
  expect([repaired.code, brokenOf(repaired.report)]).toEqual([1, ['job-1', 'job-2']])
  expect((await readdir(join(data, 'images', 'corrupt'))).map((name) => name.slice(0, 64)).sort()).toEqual([shared, own].map((digest) => digest.slice(7)).sort())
  const { code, lines } = await ingot('fsck')
  expect([code, lines]).toEqual([1, expect.arrayContaining(['broken: debian-12:job-1', `  blob ${shared} is missing`, expect.stringMatching(/^ {2}what to do: let the same recipe build again/)])])
  await storeSample(store, [filled(0, 1), filled(1024 * 1024, 3)])
  expect((await fsck()).report.whole).toBe(true)
})

test('a blob that is missing, cut short or no blob at all, and a damaged manifest, are told', async () => {
  const { data, files, one, two, fsck } = await setUp()
  await unlink(files.path(one.manifest.layers[1]!.digest))
  await truncate(files.path(two.digest), 5)
  await writeFile(join(data, 'images', 'blobs', 'sha256', 'strange'), '')
  const { code, report } = await fsck()
  expect(code).toBe(1)
  expect(report.manifests.map(({ problems }) => problems)).toEqual([[`blob ${one.manifest.layers[1]!.digest} is missing`], [`its manifest ${two.digest} is damaged`]])
  expect(report.problems).toEqual(['blobs/sha256/strange: expected nothing but blobs, got a file that is none'])
})

test('an index that cannot be read is damage, and nothing passes for an orphan by it', async () => {
  const { data, fsck } = await setUp()
  await writeFile(join(data, 'images', 'index.json'), '{"schemaVersion":2}')
  const { code, report } = await fsck()
  expect([code, report.problems[0], report.orphans.count]).toEqual([1, `${join(data, 'images', 'index.json')} is not an index of images`, 0])
})

test('a directory without images is told as such', async () => {
  const { data, ingot } = await setUp()
  await rm(join(data, 'images'), { recursive: true })
  await expect(ingot('fsck')).rejects.toMatchObject({ code: 'data-invalid' })
})

test('image gc tells what would go, and what went', async () => {
  const { store, files, ingot } = await setUp()
  await store.remove('debian-12', 'job-1')
  for (const { digest } of await files.list()) await utimes(files.path(digest), new Date(0), new Date(0))
  expect((await ingot('gc', '--dry-run')).lines[0]).toMatch(/^2 blobs of .* would be removed; 4 blobs of .* are needed, 0 blobs of 0 B are too new to tell$/)
  expect(JSON.parse((await ingot('gc', '--json')).lines[0]!)).toMatchObject({ removed: { blobs: 2 }, used: { blobs: 4 }, dryRun: false })
  expect((await files.list()).length).toBe(4)
})
