import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Command } from 'commander'
import { expect, onTestFinished, test } from 'vitest'
import { addImage } from '../../../server/commands/image.ts'
import { openImageStore } from '../../../server/image-store/open-image-store.ts'
import { attachProof } from '../../../server/prove/attach-proof.ts'
import { filled, sampleConfig, storeSample } from '../image-store/sample-image.ts'
import { provenOf } from '../prove/proof-rack.ts'

/** A data directory with an image that was proven, one that was not, and one that came from elsewhere. */
async function setUp() {
  const data = await mkdtemp(join(tmpdir(), 'ingot-show-'))
  onTestFinished(() => rm(data, { recursive: true }))
  const store = await openImageStore(join(data, 'images'))
  onTestFinished(() => store.close())
  const config = sampleConfig({ programs: { linux: '6.1.0-41-amd64', zstd: '1.5.7' } })
  const publish = async (version: string, value: number) => store.publish('debian-12', version, (await storeSample(store, [filled(0, value)], config)).bytes)
  const [proven, unproven] = [await publish('job-1', 1), await publish('job-2', 2)]
  await publish('job-3', 3)
  await attachProof(store.registry, proven, provenOf(proven))
  await attachProof(store.registry, unproven, undefined)
  const call = async (...args: string[]) => {
    const lines: string[] = []
    const context = { print: (line: string) => void lines.push(line), say: () => {}, signal: new AbortController().signal, env: {}, exit: () => {} }
    await addImage(new Command('ingot').exitOverride(), context as never).parent!.parseAsync(['image', ...args, '--data', data], { from: 'user' })
    return lines
  }
  return { proven, call }
}

test('ingot image list shows how each version was proven, also to programs', async () => {
  const { call } = await setUp()
  expect((await call('list')).map((line) => line.split(/ {2}/).at(-1)?.trim())).toEqual(['PROOF', 'boots on BIOS', 'no proof', 'not proven here'])
  expect(JSON.parse((await call('list', '--json')).join('')).map(({ proof }: { proof: unknown }) => proof)).toEqual(['booted', 'none', null])
})

test('ingot image show tells what a version is and what its copies showed when they booted', async () => {
  const { call, proven } = await setUp()
  expect(await call('show', 'debian-12:job-1')).toEqual([
    'debian-12:job-1',
    `  digest       ${proven.digest}`,
    `  published    ${proven.publishedAt}`,
    expect.stringMatching(/^ {2}disk {9}4 MiB, stored in \d+ B$/),
    '  boots with   bios, uefi',
    '  recipe       debian-12, sha256:00',
    '  made         2026-11-23T21:20:01.123Z by 52-54-00-12-34-56, job job-1, linux 6.1.0-41-amd64, zstd 1.5.7',
    '  packages     0',
    '  proof        boots on BIOS',
    '    BIOS: login prompt after 26.2 s, all checks passed after 34.5 s',
    '  proven       2026-11-24T12:00:00.000Z, qemu 7.2.22, kvm',
  ])
  expect((await call('show', 'debian-12:job-2')).at(-1)).toBe('  proof        no proof')
  expect(JSON.parse((await call('show', 'debian-12', '--json')).join(''))).toMatchObject({ version: 'job-3', proof: null, config: { job: 'job-1' } })
})
