import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { setTimeout as sleep } from 'node:timers/promises'
import { Command } from 'commander'
import { describe, expect, onTestFinished, test } from 'vitest'
import { run } from '../../../appliance/run.ts'
import { addImage } from '../../../server/commands/image.ts'
import { openImageFile } from '../../../server/image-store/export/open-image-file.ts'
import { writeImageFile } from '../../../server/image-store/export/write-image-file.ts'
import { openImageStore } from '../../../server/image-store/open-image-store.ts'
import { parseManifest } from '../../../server/image-store/parse-manifest.ts'
import { makeFolder, publishShape } from '../image-store/export/exported-image.ts'
import { chunkSizeBytes, digestOf, makeSample, sampleConfig } from '../image-store/sample-image.ts'

const ingot = join(import.meta.dirname, '../../../server/ingot')
const mib = 1024 * 1024

/** A data directory with one image, a folder to write into, and the command in this process. */
const setUp = async () => {
  const data = await makeFolder()
  const folder = await makeFolder()
  const published = await publishShape({ diskSizeBytes: 5 * mib + 512, chunkSizeBytes, used: [0, 3, 5] }, await openImageStore(join(data, 'images')))
  const call = async (args: readonly string[], columns?: number) => {
    const lines: string[] = []
    const output = new PassThrough()
    const written = buffer(output)
    const program = new Command('ingot').exitOverride()
    const context = { print: (line: string) => void lines.push(line), say: () => {}, output, columns, signal: new AbortController().signal, env: {}, exit: () => {} }
    addImage(program, context as never)
    await program.parseAsync(['image', ...args, '--data', data], { from: 'user' })
    output.end()
    return { lines, written: await written }
  }
  return { ...published, data, folder, call, to: (file: string) => join(folder, file) }
}

describe('ingot image export', () => {
  test('writes the newest version, one by its version and one by its digest, in the format that is told or that the ending says', async () => {
    const { call, to, read, image } = await setUp()
    const exported = async (file: string, ...args: string[]) => {
      const { lines } = await call(['export', ...args, '--output', to(file)])
      expect(lines).toEqual([expect.stringContaining(`${to(file)}: debian-12:job-1 as `)])
      return readFile(to(file))
    }
    expect((await exported('a', 'debian-12')).equals(await read('raw'))).toBe(true)
    expect((await exported('b.qcow2', 'debian-12:job-1')).equals(await read('qcow2'))).toBe(true)
    expect((await exported('c.raw.zst', `debian-12@${image.digest}`)).equals(await read('raw.zst'))).toBe(true)
    expect((await exported('d.qcow2', 'debian-12:latest', '--format', 'tar')).equals(await read('tar'))).toBe(true)
  })

  test('streams to standard output with -, and not to a terminal', async () => {
    const { call, read } = await setUp()
    const { lines, written } = await call(['export', 'debian-12', '--format', 'qcow2', '--output', '-'])
    expect([lines, written.equals(await read('qcow2'))]).toEqual([[], true])
    await expect(call(['export', 'debian-12', '--output', '-'], 80)).rejects.toMatchObject({ code: 'argument-invalid', message: expect.stringContaining('got a terminal') })
  })

  test('leaves a file that is there alone, unless --force is given', async () => {
    const { call, to, read } = await setUp()
    await writeFile(to('disk.raw'), 'mine')
    const args = ['export', 'debian-12', '--output', to('disk.raw')]
    await expect(call(args)).rejects.toMatchObject({ code: 'argument-invalid', message: `${to('disk.raw')} is there already; give another name, or --force to replace it` })
    expect(await readFile(to('disk.raw'), 'utf8')).toBe('mine')
    await call([...args, '--force'])
    expect((await readFile(to('disk.raw'))).equals(await read('raw'))).toBe(true)
  })

  test('also one that came while it was at work', async () => {
    const { store, to, open, folder } = await setUp()
    const onProgress = () => void writeFile(to('disk'), 'mine')
    await expect(writeImageFile(await open('raw'), store.registry.blobs('debian-12'), to('disk'), { onProgress })).rejects.toMatchObject({ code: 'argument-invalid' })
    expect([await readdir(folder), await readFile(to('disk'), 'utf8')]).toEqual([['disk'], 'mine'])
  })

  test.each([
    ['debian-12/x', 'out', 'image: expected NAME, NAME:VERSION or NAME@sha256:DIGEST, got "debian-12/x"'],
    ['debian-12:', 'out', 'got "debian-12:"'],
    ['debian-12:job-9', 'out', 'no image debian-12:job-9 has been published'],
    ['debian-12', 'folder', 'folder: expected a file, got something else'],
    ['debian-12', 'nowhere/out', 'nowhere/out cannot be written: ENOENT'],
    ['debian-12', 'null', 'null: expected a file, got something else; write a disk with --output - and dd'],
  ])('refuses %s to %s with what was expected, and leaves nothing', async (wanted, file, message) => {
    const { call, to, folder } = await setUp()
    await mkdir(to('folder'))
    await symlink('/dev/null', to('null'))
    await expect(call(['export', wanted, '--output', to(file), '--force'])).rejects.toMatchObject({ message: expect.stringContaining(message) })
    expect((await readdir(folder)).sort()).toEqual(['folder', 'null'])
  })

  test('F3 when it is given up, nothing stays', async () => {
    const { store, image, to, folder } = await setUp()
    const stop = new AbortController()
    const file = await openImageFile(store, image, 'raw')
    const exported = writeImageFile(file, store.registry.blobs('debian-12'), to('disk'), { signal: stop.signal, onProgress: () => stop.abort('SIGINT') })
    await expect(exported).rejects.toBe('SIGINT')
    expect(await readdir(folder)).toEqual([])
  })
})

describe('ingot image import', () => {
  test('takes in what export --format tar has written', async () => {
    const { call, to, image } = await setUp()
    const other = await makeFolder()
    await call(['export', 'debian-12', '--output', to('image.tar')])
    expect(await run(ingot, ['image', 'import', to('image.tar'), '--data', other])).toMatch(new RegExp(`^debian-12:job-1  ${image.digest}  4 of 4 blobs were new, `))
    expect(await run(ingot, ['image', 'import', to('image.tar'), '--data', other])).toBe(`debian-12:job-1  ${image.digest}  was there already`)
    expect(await run(ingot, ['image', 'list', '--data', other])).toContain(`debian-12:job-1  `)
    await expect(call(['import', to('image.tar'), '--as', 'debian-12'])).rejects.toMatchObject({ message: '--as: expected NAME:VERSION, got "debian-12"' })
  })
})

describe('as a program', () => {
  /** A disk of 2,000 chunks that are all one blob, so that there is time to interfere. */
  const setUpLong = async () => {
    const data = await makeFolder()
    const store = await openImageStore(join(data, 'images'))
    const bytes = Buffer.alloc(chunkSizeBytes)
    bytes.write('not zero')
    const blob = makeSample([{ offsetBytes: 0, bytes }]).blobs[1]!
    const chunks = Array.from({ length: 2000 }, (_, index) => ({ offsetBytes: index * chunkSizeBytes, bytes: Buffer.alloc(0), lengthBytes: chunkSizeBytes, blob }))
    const sample = makeSample(chunks, sampleConfig({ diskSizeBytes: 2000 * chunkSizeBytes }))
    for (const each of sample.blobs.slice(0, 2)) await store.registry.blobs('x').write(digestOf(each), [each])
    await store.registry.put('x', { tag: 'v1', bytes: sample.bytes, facts: parseManifest(sample.bytes) })
    const folder = await makeFolder()
    const begin = (...args: string[]) => {
      const child = spawn(ingot, ['image', 'export', 'x', '--data', data, ...args], { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] })
      const ended = once(child, 'exit') as Promise<[number | null, NodeJS.Signals | null]>
      onTestFinished(async () => {
        child.kill('SIGKILL')
        await ended
      })
      return { child, ended, said: buffer(child.stderr).then(String) }
    }
    return { folder, begin }
  }

  test('F3 Ctrl-C leaves no file and ends it with 130', { timeout: 60_000 }, async () => {
    const { folder, begin } = await setUpLong()
    const { child, ended, said } = begin('--output', 'disk.raw')
    while ((await readdir(folder)).length === 0) await sleep(20)
    expect(await readdir(folder)).toEqual([expect.stringMatching(/^disk\.raw\.[0-9a-f-]+\.part$/)])
    child.kill('SIGINT')
    expect([await ended, await said, await readdir(folder)]).toEqual([[130, null], '', []])
  })

  test('what reads its output may leave: it tells so and ends with 1', { timeout: 60_000 }, async () => {
    const { begin } = await setUpLong()
    const { child, ended, said } = begin('--format', 'raw', '--output', '-')
    await once(child.stdout, 'readable')
    child.stdout.destroy()
    expect([await ended, await said]).toEqual([[1, null], expect.stringMatching(/^ingot: standard output was closed after \d+ of 2097152000 bytes\n$/)])
  })
})
