import { mkdir, mkdtemp, realpath, rm, truncate, unlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { buildDirectory, makeWorkDirectory, pointTo, removeOldBuilds, replaceBuild } from '../../../appliance/os/builds.ts'
import { loadAppliance, manifestFile } from '../../../appliance/os/load-appliance.ts'
import type { Manifest } from '../../../appliance/os/manifest.ts'
import { digestInputs } from '../../../appliance/os/read-inputs.ts'

let directory: string
beforeEach(async () => {
  directory = await realpath(await mkdtemp(join(tmpdir(), 'ingot-appliance-')))
  await mkdir(join(directory, 'builds'))
})
afterEach(() => rm(directory, { recursive: true, force: true }))

const digest = (digit: string): string => `sha256:${digit.repeat(64)}`
const sha512 = (digit: string): string => digit.repeat(128)
const output = (file: string, digit: string): Manifest['outputs']['kernel'] => ({ file, sizeBytes: 3, rawSizeBytes: 9, digest: digest(digit), sha512: sha512(digit), contents: [] })

async function putBuild(key: string): Promise<string> {
  const work = await makeWorkDirectory(directory)
  const out = join(work, 'out')
  await mkdir(out)
  const manifest: Manifest = {
    version: 1,
    key,
    ingotVersion: '0.1.0',
    nodeVersion: 'v26.10.0',
    kernelRelease: '6.1.0-1-amd64',
    builtWith: {},
    packages: [],
    outputs: { kernel: output('vmlinuz', '1'), initramfs: output('initramfs.img', '2'), stage2: output('stage2.squashfs', '3'), inventory: output('inventory.squashfs', '5'), tools: output('tools.squashfs', '4') },
  }
  await writeFile(join(out, manifestFile), JSON.stringify(manifest))
  for (const { file } of Object.values(manifest.outputs)) await writeFile(join(out, file), 'abc')
  const home = buildDirectory(directory, key)
  await replaceBuild(home, out)
  await rm(work, { recursive: true })
  await pointTo(directory, home)
  return home
}

describe('loadAppliance', () => {
  test('loads the newest build', async () => {
    await putBuild(digest('a'))
    const home = await putBuild(digest('b'))
    expect(await loadAppliance(directory)).toMatchObject({
      directory: home,
      stage2Path: join(home, 'stage2.squashfs'),
      stage2Digest: `sha512:${sha512('3')}`,
      toolsDigest: digest('4'),
      toolsSizeBytes: 3,
      reused: true,
    })
  })

  test('says how to get one when there is none', async () => {
    await expect(loadAppliance(directory)).rejects.toMatchObject({ code: 'appliance-build', message: expect.stringContaining('ingot appliance build') })
  })

  test('refuses a file of another size', async () => {
    await truncate(join(await putBuild(digest('a')), 'stage2.squashfs'), 2)
    await expect(loadAppliance(directory)).rejects.toThrow(/stage2\.squashfs: expected 3 bytes, got 2 bytes/)
  })

  test('refuses a build that lacks a file', async () => {
    await unlink(join(await putBuild(digest('a')), 'tools.squashfs'))
    await expect(loadAppliance(directory)).rejects.toThrow(/tools\.squashfs: expected 3 bytes, got no such file/)
  })

  test('refuses a manifest of another shape', async () => {
    await writeFile(join(await putBuild(digest('a')), manifestFile), '{"version":2}')
    await expect(loadAppliance(directory)).rejects.toThrow(/no manifest of this version/)
  })
})

test('the build before the current one stays, older ones go', async () => {
  await putBuild(digest('a'))
  const before = await putBuild(digest('b'))
  const home = await putBuild(digest('c'))
  await removeOldBuilds(directory, home)
  await pointTo(directory, before)
  expect((await loadAppliance(directory)).directory).toBe(before)
  await pointTo(directory, buildDirectory(directory, digest('a')))
  await expect(loadAppliance(directory)).rejects.toMatchObject({ code: 'appliance-build' })
})

test('a build takes the place of a damaged one of the same key', async () => {
  await truncate(join(await putBuild(digest('a')), 'vmlinuz'), 0)
  await putBuild(digest('a'))
  expect((await loadAppliance(directory)).manifest.key).toBe(digest('a'))
})

test('the key depends on names and bytes, not on the order of the names', () => {
  const key = digestInputs({ a: Buffer.from('1'), b: { version: '2' } })
  expect(digestInputs({ b: { version: '2' }, a: Buffer.from('1') })).toBe(key)
  expect(digestInputs({ a: Buffer.from('1'), b: { version: '3' } })).not.toBe(key)
  expect(digestInputs({ a: Buffer.from('1b'), b: { version: '2' } })).not.toBe(key)
})
