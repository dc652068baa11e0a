import { spawn } from 'node:child_process'
import { randomInt } from 'node:crypto'
import { once } from 'node:events'
import { mkdtemp, open, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pino, type Logger } from 'pino'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { run } from '../../../appliance/run.ts'
import { image } from '../../../appliance/steps/image.ts'
import { chunkSizeBytes } from '../../../server/api/image.ts'
import { checkStore } from '../../../server/image-store/check-store.ts'
import { exportRaw } from '../../../server/image-store/export-raw.ts'
import { hashFile } from '../../../server/image-store/hash-file.ts'
import { openImageStore } from '../../../server/image-store/open-image-store.ts'
import { startImageServer, type ImageServer } from '../../server/image-store/image-server.ts'
import { startServerProcess } from '../../server/image-store/start-server-process.ts'
import type { CaptureTask } from './capture-process.ts'
import { makeGptDisk, type GptDisk } from './gpt-disk.ts'
import { stepContext } from './step-context.ts'
import { openWire, type Wire } from './wire.ts'

/*
 * The image step of a worker against a server over a line on which everything goes wrong that can. Whatever does, an image that is visible is the disk bit
 * by bit, and of what had arrived nothing is sent again: after a cut at most what was on its way, which is one chunk.
 */
const isFull = process.env.INGOT_SLOW_TESTS === '1'
const counts = isFull ? { cuts: 50, serverKills: 20, workerKills: 20, flips: 30 } : { cuts: 4, serverKills: 2, workerKills: 2, flips: 3 }
/** Questions whether chunks are there, and heads of requests. */
const headBytes = 64 * 1024

let disk: GptDisk
/** What an undisturbed upload is: the digest of the exported image, and the bytes that go to the server. */
let whole: { digest: string; sentBytes: number }

beforeAll(async () => {
  disk = await makeGptDisk()
  await run('umount', [disk.root])
})
afterAll(() => disk.remove())

const folderOf = async () => {
  const folder = await mkdtemp(join(tmpdir(), 'ingot-cuts-'))
  onTestFinished(() => rm(folder, { recursive: true }))
  return folder
}
const capture = (wire: Wire, log: Logger = pino({ level: 'silent' }), signal = new AbortController().signal) =>
  image({ kind: 'image', image: 'debian-12' }, stepContext(disk, wire.url, { log, signal }))

/** Digest of the one image of a store, whose directory is sound. */
async function imageIn(directory: string): Promise<string> {
  const report = await checkStore(directory)
  expect([report.problems, report.damaged]).toEqual([[], []])
  const store = await openImageStore(directory)
  try {
    expect((await store.list()).map(({ version }) => version)).toEqual(['job-1'])
    const raw = join(directory, 'exported.raw')
    await exportRaw(store, 'debian-12', raw)
    const { digest } = await hashFile(raw)
    await rm(raw)
    return digest
  } finally {
    store.close()
  }
}

const withServer = async (act: (server: ImageServer, wire: Wire) => Promise<void>): Promise<void> => {
  const server = await startImageServer()
  try {
    await act(server, await openWire(server.url))
  } finally {
    await server.close()
  }
}

/** What becomes of an undisturbed upload, found out once. */
const measureWhole = async () => {
  if (whole === undefined) {
    await withServer(async (server, wire) => {
      await capture(wire)
      whole = { digest: await imageIn(server.directory), sentBytes: wire.sentBytes }
    })
  }
  return whole
}

test(`F3 F9 an upload is cut ${counts.cuts} times, each at a random byte: nothing is visible before its end, and at most a chunk is sent again`, { timeout: counts.cuts * 20_000 }, async () => {
  const { digest, sentBytes } = await measureWhole()
  for (let round = 0; round < counts.cuts; round++) {
    const at = randomInt(sentBytes)
    await withServer(async (server, wire) => {
      let visible: Promise<unknown> | undefined
      wire.at(at, () => {
        visible = server.store.list()
        wire.cut()
      })
      await capture(wire)
      expect(await visible, `cut at ${at}`).toEqual([])
      expect(wire.sentBytes, `cut at ${at}`).toBeLessThanOrEqual(sentBytes + chunkSizeBytes + headBytes)
      expect(await imageIn(server.directory), `cut at ${at}`).toBe(digest)
    })
  }
})

test(`F3 F9 a server that is killed ${counts.serverKills} times, each at a random byte of an upload, has nothing half, and at most a chunk is sent again`, { timeout: counts.serverKills * 30_000 }, async () => {
  const { digest, sentBytes } = await measureWhole()
  for (let round = 0; round < counts.serverKills; round++) {
    const at = randomInt(sentBytes)
    const directory = await folderOf()
    let server = await startServerProcess({ directory })
    onTestFinished(() => server.kill())
    const wire = await openWire(server.url)
    const port = Number(new URL(server.url).port)
    const killed = Promise.withResolvers<void>()
    wire.at(at, () => killed.resolve(server.kill()))
    const capturing = capture(wire)
    await killed.promise
    const { problems, damaged, manifests } = await checkStore(directory)
    expect([problems, damaged, manifests], `kill at ${at}`).toEqual([[], [], []])
    server = await startServerProcess({ directory, port })
    await capturing
    expect(wire.sentBytes, `kill at ${at}`).toBeLessThanOrEqual(sentBytes + chunkSizeBytes + headBytes)
    await server.kill()
    expect(await imageIn(directory), `kill at ${at}`).toBe(digest)
  }
})

test(`F9 a worker that is killed ${counts.workerKills} times, each at a random byte of its upload, and begins anew on the same disk sends at most a chunk again`, { timeout: counts.workerKills * 20_000 }, async () => {
  const { digest, sentBytes } = await measureWhole()
  for (let round = 0; round < counts.workerKills; round++) {
    const at = randomInt(sentBytes)
    await withServer(async (server, wire) => {
      const task: CaptureTask = { disk, url: wire.url }
      const begin = () => spawn(process.execPath, [join(import.meta.dirname, 'capture-process.ts'), JSON.stringify(task)], { stdio: ['ignore', 'ignore', 'inherit'] })
      const first = begin()
      wire.at(at, () => {
        first.kill('SIGKILL')
        wire.cut()
      })
      expect(await once(first, 'exit')).toEqual([null, 'SIGKILL'])
      expect(await server.store.list(), `kill at ${at}`).toEqual([])
      const second = begin()
      onTestFinished(() => void second.kill('SIGKILL'))
      expect(await once(second, 'exit')).toEqual([0, null])
      expect(wire.sentBytes, `kill at ${at}`).toBeLessThanOrEqual(sentBytes + chunkSizeBytes + headBytes)
      expect(await imageIn(server.directory), `kill at ${at}`).toBe(digest)
    })
  }
})

/** A log that is kept. */
function keepLog(): { log: Logger; lines: string[] } {
  const lines: string[] = []
  return { lines, log: pino({ level: 'info' }, { write: (line: string) => void lines.push(line) }) }
}

test(`F2 ${counts.flips} bits are turned over on the wire, one for each upload: the image is right or is not there, and why is told`, { timeout: counts.flips * 40_000 }, async () => {
  const { digest, sentBytes } = await measureWhole()
  for (let round = 0; round < counts.flips; round++) {
    const [at, bit] = [randomInt(sentBytes), randomInt(8)]
    await withServer(async (server, wire) => {
      wire.flipAfter(at, bit)
      const { log, lines } = keepLog()
      // A bit of a length leaves both ends waiting for each other; the limits that end this are minutes.
      const failure = await capture(wire, log, AbortSignal.timeout(20_000)).then(
        () => undefined,
        (error: Error) => error,
      )
      const where = `bit ${bit} of byte ${at}: ${failure?.message} ${lines.join('')}`
      // A sender that gave up may have been about to hear that all went well.
      const isThere = failure === undefined || (await server.store.list()).length > 0
      if (isThere) expect(await imageIn(server.directory), where).toBe(digest)
      expect(failure?.message, where).not.toBe('')
    })
  }
})

test('F2 F9 a bit that turns over in a stored chunk while others are sent is found before anything is visible, and that chunk is sent again', { timeout: 60_000 }, async () => {
  const { digest, sentBytes } = await measureWhole()
  await withServer(async (server, wire) => {
    const flipped = Promise.withResolvers<void>()
    wire.at(Math.floor(sentBytes / 2), () => flipped.resolve(flipStored(server.directory)))
    const { log, lines } = keepLog()
    await capture(wire, log)
    await flipped.promise
    expect(lines.join('')).toContain('what was stored reads back as')
    expect(lines.join('')).toContain('lacks a part of the image; that is sent again')
    expect(await imageIn(server.directory)).toBe(digest)
  })
})

/** Turns one bit over in the middle of a chunk that is there. */
async function flipStored(directory: string): Promise<void> {
  const folder = join(directory, 'blobs/sha256')
  const [name = ''] = await readdir(folder)
  const file = await open(join(folder, name), 'r+')
  try {
    const at = Math.floor((await file.stat()).size / 2)
    const { buffer } = await file.read(Buffer.alloc(1), 0, 1, at)
    await file.write(Buffer.from([buffer[0]! ^ 8]), 0, 1, at)
  } finally {
    await file.close()
  }
}
