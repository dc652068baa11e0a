import { openSync, writeSync, closeSync } from 'node:fs'
import { open, readFile, writeFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { zstdDecompressSync } from 'node:zlib'
import { beforeAll, expect, onTestFinished, test } from 'vitest'
import { restoreImage, type RestoreOptions } from '../../../appliance/restore/restore-image.ts'
import { run } from '../../../appliance/run.ts'
import { makeGptDisk, mib } from '../capture/gpt-disk.ts'
import { makeLoopDisk } from './loop-disk.ts'
import { captureToMemory, type MemoryImage } from './memory-image.ts'

let image: MemoryImage
/** The disk as the image describes it: what was used, zero elsewhere. */
let expected: Buffer

beforeAll(async () => {
  const disk = await makeGptDisk()
  try {
    image = await captureToMemory(disk)
    expected = Buffer.alloc(image.config.diskSizeBytes)
    for (const { digest, annotations } of image.manifest.layers) zstdDecompressSync(image.blobs.get(digest)!).copy(expected, Number(annotations['dev.ingot.disk.offset']))
  } finally {
    await disk.remove()
  }
}, 60_000)

const restore = (path: string, overrides: Partial<RestoreOptions> = {}) =>
  restoreImage({ ...image, path, run, signal: new AbortController().signal, onProgress: () => {}, ...overrides })

const loopDisk = async (...args: Parameters<typeof makeLoopDisk>) => {
  const disk = await makeLoopDisk(...args)
  onTestFinished(disk.remove)
  return disk
}

const readStart = async (path: string, lengthBytes: number): Promise<Buffer> => {
  const file = await open(path, 'r')
  try {
    return (await file.read(Buffer.alloc(lengthBytes), 0, lengthBytes, 0)).buffer
  } finally {
    await file.close()
  }
}

test.each([
  ['zeroes ranges by itself', false],
  ['must be written zeros', true],
])('B24 a disk full of old data that %s is the image bit by bit afterwards', { timeout: 60_000 }, async (_, plain) => {
  const { device } = await loopDisk(200 * mib, { plain })
  const zeroing = await readFile(`/sys/class/block/${device.slice(5)}/queue/write_zeroes_max_bytes`, 'utf8')
  expect(Number(zeroing) === 0).toBe(plain)
  const progress: number[] = []
  const { writtenBytes, targetSizeBytes } = await restore(device, { onProgress: ({ doneBytes, totalBytes }) => void progress.push(doneBytes / totalBytes) })
  expect((await readStart(device, expected.length)).equals(expected)).toBe(true)
  expect({ writtenBytes, targetSizeBytes }).toEqual({ writtenBytes: image.manifest.layers.length * image.config.chunkSizeBytes, targetSizeBytes: 200 * mib })
  expect(progress.filter((share) => share === 1)).toHaveLength(2)
  // Signatures of what was there before, which tools look for at the end.
  expect((await readFile(device)).subarray(199 * mib).equals(Buffer.alloc(mib))).toBe(true)
})

test('a file gets the image with holes where it is zero', { timeout: 60_000 }, async () => {
  const { folder } = await loopDisk(mib)
  const path = join(folder, 'image.raw')
  await writeFile(path, 'old')
  await restore(path)
  expect((await readFile(path)).equals(expected)).toBe(true)
  expect((await stat(path)).blocks * 512).toBeLessThan(image.manifest.layers.length * image.config.chunkSizeBytes + mib)
})

test('a disk that is too small, or has other sectors, is not touched', async () => {
  const small = await loopDisk(100 * mib)
  await expect(restore(small.device)).rejects.toThrow(`${small.device}: expected a disk of at least ${160 * mib} bytes, got ${100 * mib}`)
  expect((await readStart(small.device, 8)).equals(await readStart(small.file, 8))).toBe(true)
  const coarse = await loopDisk(200 * mib, { sectorBytes: 4096 })
  await expect(restore(coarse.device)).rejects.toThrow('expected sectors of 512 bytes, which the image was made for, got 4096')
})

test('a disk that is in use is not touched', async () => {
  const { device, folder } = await loopDisk(200 * mib)
  await run('mke2fs', ['-q', '-F', device])
  await run('mount', [device, folder])
  try {
    await expect(restore(device)).rejects.toThrow(`${device}: expected a disk that nothing uses, got one that is in use`)
  } finally {
    await run('umount', [folder])
  }
  await run('e2fsck', ['-f', '-n', device])
})

test.each<[what: string, alter: (blob: Buffer) => Buffer, message: RegExp]>([
  ['a flipped bit', (blob) => (blob.writeUInt8(blob.readUInt8(100) ^ 1, 100), blob), /chunk at \d+: expected the digest sha256:/],
  ['a cut end', (blob) => blob.subarray(0, -1), /chunk at \d+: expected a blob of \d+ bytes/],
])('a blob with %s is refused, and the others are given up', async (_, alter, message) => {
  const { device } = await loopDisk(200 * mib)
  const wrong = image.manifest.layers[5]!.digest
  const signals = new Set<AbortSignal>()
  const readBlob = async (digest: string, signal: AbortSignal) => {
    signals.add(signal)
    const blob = Buffer.from(image.blobs.get(digest)!)
    return new Uint8Array(digest === wrong ? alter(blob) : blob)
  }
  await expect(restore(device, { readBlob })).rejects.toThrow(message)
  expect([...signals].every((signal) => signal.aborted)).toBe(true)
})

test('chunks that lie over one another or beyond the disk are refused before anything is written', async () => {
  const { device, file } = await loopDisk(200 * mib)
  const before = await readStart(file, mib)
  const [first] = image.manifest.layers
  const move = (offset: number) => ({ ...first!, annotations: { ...first!.annotations, 'dev.ingot.disk.offset': String(offset) } })
  for (const layers of [[first!, move(4096)], [move(160 * mib)]]) {
    await expect(restore(device, { manifest: { ...image.manifest, layers } })).rejects.toThrow('image: expected a chunk of at most')
  }
  expect((await readStart(file, mib)).equals(before)).toBe(true)
})

test('F2 a disk that does not keep what was written fails the restore', async () => {
  const { device, file } = await loopDisk(200 * mib)
  const onProgress: RestoreOptions['onProgress'] = ({ doneBytes, totalBytes, detail }) => {
    if (detail !== 'reading back' || doneBytes !== image.config.chunkSizeBytes || totalBytes === 0) return
    const behind = openSync(file, 'r+')
    writeSync(behind, Buffer.from('lost'), 0, 4, Number(image.manifest.layers.at(-3)!.annotations['dev.ingot.disk.offset']))
    closeSync(behind)
  }
  await expect(restore(device, { onProgress })).rejects.toThrow(/disk: what was written at \d+ does not read back the same/)
})

test.each([
  ['zeroes ranges by itself', false],
  ['must be written zeros', true],
])('F4 a disk that %s and was cut off before the end holds nothing that a tool knows, and takes the image the next time', { timeout: 60_000 }, async (_, plain) => {
  const { device } = await loopDisk(200 * mib, { plain })
  await run('sfdisk', ['--quiet', device], { input: 'label: gpt\n,,\n' })
  const signatures = () => run('wipefs', ['--no-act', '--noheadings', '--output', 'TYPE', device])
  expect(await signatures()).toContain('gpt')
  let written = 0
  const readBlob = async (digest: string) => {
    if (written === image.manifest.layers.length - 2) throw new Error('the power is gone')
    written++
    return image.readBlob(digest)
  }
  await expect(restore(device, { readBlob })).rejects.toThrow('the power is gone')
  expect(await signatures()).toBe('')
  await restore(device)
  expect(await signatures()).toContain('gpt')
  expect((await readStart(device, expected.length)).equals(expected)).toBe(true)
})

test('a restore that is called off ends at once', async () => {
  const { device } = await loopDisk(200 * mib)
  const stop = new AbortController()
  const readBlob = async (digest: string) => {
    stop.abort(new Error('called off'))
    return image.readBlob(digest)
  }
  await expect(restore(device, { readBlob, signal: stop.signal })).rejects.toThrow()
})
