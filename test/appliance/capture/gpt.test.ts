import { mkdtemp, open, readFile, rm, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { parseGpt, resizeGpt, type Patch } from '../../../appliance/capture/gpt.ts'
import { run } from '../../../appliance/run.ts'

const mib = 1024 * 1024

/** A disk image of 64 MiB with two partitions by sfdisk, the last one ending at 40 MiB. */
const makeTable = async (): Promise<string> => {
  const folder = await mkdtemp(join(tmpdir(), 'ingot-gpt-'))
  onTestFinished(() => rm(folder, { recursive: true }))
  const path = join(folder, 'disk.raw')
  await writeFile(path, '')
  await truncate(path, 64 * mib)
  const table = ['label: gpt', 'start=2048,size=2048,type=21686148-6449-6E6F-744E-656564454649,name=bios', 'start=4096,size=77824,type=L,name="röot"']
  await run('sfdisk', ['--quiet', path], { input: table.join('\n') })
  return path
}

const write = async (path: string, patches: readonly Patch[]) => {
  const file = await open(path, 'r+')
  for (const { startBytes, bytes } of patches) await file.write(bytes, 0, bytes.length, startBytes)
  await file.close()
}

test('reads the partitions that sfdisk wrote', async () => {
  const { partitions } = parseGpt((await readFile(await makeTable())).subarray(0, mib), 512)
  expect(partitions).toEqual([
    { number: 1, name: 'bios', typeGuid: '21686148-6449-6E6F-744E-656564454649', startBytes: mib, sizeBytes: mib },
    { number: 2, name: 'röot', typeGuid: '0FC63DAF-8483-4772-8E79-3D69D8477DE4', startBytes: 2 * mib, sizeBytes: 38 * mib },
  ])
})

test('a table made for the size it has already is what sfdisk wrote, bit by bit', async () => {
  const disk = await readFile(await makeTable())
  for (const { startBytes, bytes } of resizeGpt(parseGpt(disk.subarray(0, mib), 512), 64 * mib)) {
    expect(bytes.equals(disk.subarray(startBytes, startBytes + bytes.length))).toBe(true)
  }
})

test.each([48 * mib, 128 * mib])('a table made for a disk of %i bytes is sound to sfdisk and sgdisk', async (sizeBytes) => {
  const path = await makeTable()
  const patches = resizeGpt(parseGpt((await readFile(path)).subarray(0, mib), 512), sizeBytes)
  await truncate(path, sizeBytes)
  await write(path, patches)
  expect(await run('sfdisk', ['--verify', path])).toContain('No errors detected')
  expect(await run('sgdisk', ['--verify', path])).toContain('No problems found')
})

test('a layout that cuts a partition is refused, naming it', async () => {
  const gpt = parseGpt((await readFile(await makeTable())).subarray(0, mib), 512)
  expect(() => resizeGpt(gpt, 40 * mib)).toThrow('partition 2 "röot": expected its end at 41926144 bytes or before, got 41943040')
  expect(() => resizeGpt(gpt, 40 * mib + 1)).toThrow('expected a multiple of 512 bytes')
})

test.each([
  ['no GPT', 512, 'expected a GPT, got none'],
  ['a wrong header', 512 + 56, 'the checksum of its header is wrong'],
  ['wrong entries', 1024, 'the checksum of its entries is wrong'],
])('a disk with %s is refused', async (_, position, message) => {
  const start = (await readFile(await makeTable())).subarray(0, mib)
  start[position]! ^= 1
  expect(() => parseGpt(start, 512)).toThrow(message)
})
