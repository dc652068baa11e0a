import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { besideWorker, bundleWorker } from '../../../appliance/os/bundle-worker.ts'
import { run } from '../../../appliance/run.ts'

const appliance = resolve(import.meta.dirname, '../../../appliance')
let directory: string
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'ingot-bundle-'))
})
afterEach(() => rm(directory, { recursive: true, force: true }))

/** Bundles a program of those lines and runs the bundle; gives what it said. */
async function runBundle(...lines: string[]): Promise<string> {
  const entry = join(directory, 'entry.ts')
  await writeFile(entry, lines.join('\n'))
  for (const [name, bytes] of await bundleWorker({ worker: entry }, '1.2.3')) await writeFile(join(directory, name), bytes)
  return run(process.execPath, [join(directory, 'worker.mjs')])
}

/** A program that sends a disk to nobody, and says of each chunk where it lies, how long it is, and how much its frame expands to. */
const captureEntry = (disk: string): string => `
  import { open } from 'node:fs/promises'
  import { zstdDecompressSync } from 'node:zlib'
  import { planChunks } from '${appliance}/capture/plan-chunks.ts'
  import { sendChunks } from '${appliance}/capture/send-chunks.ts'
  const handle = await open('${disk}')
  const expanded = new Map()
  const server = {
    hasBlob: async () => false,
    pushBlob: async (_image: string, digest: string, bytes: Uint8Array) => void expanded.set(digest, zstdDecompressSync(bytes).length),
  }
  const chunks = planChunks([{ startBytes: 0, endBytes: 3_000_000 }], 3_000_000, 1_048_576)
  const { layers } = await sendChunks(handle, { chunks, patches: [] }, { server: server as never, image: 'x', signal: new AbortController().signal, onProgress: () => {} })
  await handle.close()
  console.log(JSON.stringify(layers.map(({ digest, annotations }) => [...Object.values(annotations).map(Number), expanded.get(digest)])))
`

/** A program that writes an image of two chunks, of sevens and of eights, onto a file, and says what the file then holds, run by run. */
const restoreEntry = (path: string): string => `
  import { hash } from 'node:crypto'
  import { readFile } from 'node:fs/promises'
  import { zstdCompressSync } from 'node:zlib'
  import { restoreImage } from '${appliance}/restore/restore-image.ts'
  const mib = 1_048_576
  const blobs = new Map([7, 8].map((byte) => zstdCompressSync(Buffer.alloc(mib, byte))).map((blob) => ['sha256:' + hash('sha256', blob), blob]))
  const layers = [...blobs].map(([digest, { length }], index) => ({ digest, size: length, annotations: { 'dev.ingot.disk.offset': 2 * mib * index, 'dev.ingot.disk.length': mib } }))
  const config = { diskSizeBytes: 4 * mib, chunkSizeBytes: mib, sectorBytes: 512 }
  const readBlob = async (digest: string) => new Uint8Array(blobs.get(digest)!)
  await restoreImage({ manifest: { layers }, config, path: '${path}', readBlob, run: undefined, signal: new AbortController().signal, onProgress: () => {} } as never)
  const bytes = await readFile('${path}')
  console.log(JSON.stringify([0, 1, 2, 3].map((index) => [...new Set(bytes.subarray(index * mib, (index + 1) * mib))])))
`

describe('bundleWorker', () => {
  it('gives the entry its version', async () => {
    expect(await runBundle('declare const __INGOT_VERSION__: string', 'console.log(__INGOT_VERSION__)')).toBe('1.2.3')
  })

  it("loads of Node's modules only what the program uses", async () => {
    const loaded = await runBundle(
      "import { request } from 'node:http'",
      "console.log(typeof request, process.moduleLoadList.includes('NativeModule http'), process.moduleLoadList.filter((name) => /undici|http2|tls/.test(name)))",
    )
    expect(loaded).toBe('function true []')
  })

  it('splits off what is imported in functions', async () => {
    await writeFile(join(directory, 'later.ts'), "import { EOL } from 'node:os'\nexport const later = EOL")
    expect(await runBundle("const { later } = await import('./later.ts')", 'console.log(JSON.stringify(later))')).toBe(String.raw`"\n"`)
  })

  it('a bundled worker makes the frames of chunks in threads of their own', async () => {
    const disk = join(directory, 'disk.raw')
    await writeFile(disk, Buffer.alloc(3_000_000, 'disk'))
    const entry = join(directory, 'entry.ts')
    await writeFile(entry, captureEntry(disk))
    for (const [name, bytes] of await bundleWorker({ worker: entry, ...besideWorker }, '1.2.3')) await writeFile(join(directory, name), bytes)
    expect(JSON.parse(await run(process.execPath, [join(directory, 'worker.mjs')]))).toEqual([[0, 1_048_576, 1_048_576], [1_048_576, 1_048_576, 1_048_576], [2_097_152, 902_848, 902_848]])
  })

  it('a bundled worker writes the chunks of an image in threads of their own', async () => {
    const disk = join(directory, 'disk.raw')
    await writeFile(disk, 'old')
    const entry = join(directory, 'entry.ts')
    await writeFile(entry, restoreEntry(disk))
    for (const [name, bytes] of await bundleWorker({ worker: entry, ...besideWorker }, '1.2.3')) await writeFile(join(directory, name), bytes)
    expect(JSON.parse(await run(process.execPath, [join(directory, 'worker.mjs')]))).toEqual([[7], [0], [8], [0]])
  })

  it("the worker's log is a line of JSON for each entry, with the stack of an error and the fields of its parent, and is told elsewhere too", async () => {
    const output = await runBundle(
      `import { createConsoleLog } from '${appliance}/worker/console-log.ts'`,
      'const told = []',
      "createConsoleLog((line) => told.push(line)).child({ job: 'web' }).error({ err: new Error('no disk') }, 'job failed')",
      'console.log(JSON.stringify(told))',
    )
    const [line, told] = output.trim().split('\n')
    expect(JSON.parse(told!)).toEqual([line])
    expect(JSON.parse(line!)).toMatchObject({
      ...{ level: 50, job: 'web', msg: 'job failed', time: expect.stringMatching(/^\d{4}-\d\d-\d\dT/) },
      err: { type: 'Error', stack: expect.stringMatching(/^Error: no disk\n.*worker\.mjs/) },
    })
  })
})
