import { randomBytes } from 'node:crypto'
import { mkdtemp, open, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { zstdDecompressSync } from 'node:zlib'
import { expect, onTestFinished, test } from 'vitest'
import { compressChunk } from '../../../appliance/capture/compress-chunk.ts'
import { planChunks } from '../../../appliance/capture/plan-chunks.ts'
import { chunksInFlight, sendChunks } from '../../../appliance/capture/send-chunks.ts'
import { run } from '../../../appliance/run.ts'
import type { JobServer } from '../../../appliance/server-client.ts'
import { chunkSizeBytes } from '../../../server/api/image.ts'
import { digestOf } from '../../server/image-store/sample-image.ts'

const makeDisk = async (chunks: readonly Buffer[]) => {
  const folder = await mkdtemp(join(tmpdir(), 'ingot-chunks-'))
  const disk = await open(join(folder, 'disk.raw'), 'wx+')
  onTestFinished(async () => {
    await disk.close()
    await rm(folder, { recursive: true })
  })
  for (const chunk of chunks) await disk.writeFile(chunk)
  const sizeBytes = chunks.length * chunkSizeBytes
  return { disk, plan: { chunks: planChunks([{ startBytes: 0, endBytes: sizeBytes }], sizeBytes, chunkSizeBytes), patches: [] } }
}

/** A server of the test's own: `known` it has already, `receive` gets what is sent. */
const serverWith = (known: ReadonlySet<string>, receive: (digest: string, bytes: Uint8Array) => Promise<void>): JobServer => ({
  url: '',
  job: 'job-1',
  imageVersion: 'job-1',
  answers: () => Promise.reject(new Error('not asked for')),
  component: () => Promise.reject(new Error('not asked for')),
  hasBlob: async (_image, digest) => known.has(digest),
  pushBlob: (_image, digest, bytes) => receive(digest, bytes),
  pushManifest: () => Promise.reject(new Error('not asked for')),
})
const options = (server: JobServer) => ({ server, image: 'x', signal: new AbortController().signal, onProgress: () => {} })

test('equal chunks are sent once, zero chunks never, known chunks not', async () => {
  const [first, second, known] = [Buffer.alloc(chunkSizeBytes, 1), randomBytes(chunkSizeBytes), Buffer.alloc(chunkSizeBytes, 2)]
  const { disk, plan } = await makeDisk([first, Buffer.alloc(chunkSizeBytes), second, first, known, first])
  const received: Buffer[] = []
  const server = serverWith(new Set([digestOf(await compressChunk(known))]), async (_, bytes) => void received.push(zstdDecompressSync(bytes)))
  const { layers } = await sendChunks(disk, plan, options(server))
  expect(received.map((bytes) => (bytes.equals(first) ? 'first' : bytes.equals(second) ? 'second' : 'other')).sort()).toEqual(['first', 'second'])
  expect(layers.map(({ annotations }) => Number(annotations['dev.ingot.disk.offset']) / chunkSizeBytes)).toEqual([0, 2, 3, 4, 5])
  expect(new Set(layers.map(({ digest }) => digest)).size).toBe(3)
})

test('however slow the server, only a few chunks are on their way', async () => {
  const { disk, plan } = await makeDisk(Array.from({ length: 40 }, () => randomBytes(chunkSizeBytes)))
  let inFlight = 0
  let most = 0
  const server = serverWith(new Set(), async () => {
    most = Math.max(most, ++inFlight)
    while (inFlight < chunksInFlight && plan.chunks.length - done > chunksInFlight) await new Promise(setImmediate)
    await new Promise(setImmediate)
    inFlight--
  })
  let done = 0
  await sendChunks(disk, plan, { ...options(server), onProgress: () => void done++ })
  expect(most).toBe(chunksInFlight)
})

test('a chunk that cannot be sent fails the whole and gives up the others', async () => {
  const { disk, plan } = await makeDisk(Array.from({ length: 20 }, () => randomBytes(chunkSizeBytes)))
  const signals: AbortSignal[] = []
  const server = serverWith(new Set(), async () => {})
  server.pushBlob = async (_image, _digest, _bytes, signal) => {
    signals.push(signal)
    if (signals.length === 3) throw new Error('refused')
  }
  await expect(sendChunks(disk, plan, options(server))).rejects.toThrow('refused')
  expect(signals.every((signal) => signal.aborted)).toBe(true)
  expect(signals.length).toBeLessThan(20)
})

test('the frame of a chunk is the same on every machine that runs the pinned Node', async () => {
  const bytes = Buffer.from(Array.from({ length: chunkSizeBytes }, (_, index) => (index * index) >> 7))
  const frames = await Promise.all(Array.from({ length: 8 }, () => compressChunk(bytes)))
  expect(new Set(frames.map(digestOf))).toEqual(new Set(['sha256:0da5f57353a9388c8c9b00e0a031bc1adf6cafe29b601a59d1296d4b5b09d1d4']))
})

test('memory does not grow with the disk, neither of the worker nor of the server', { timeout: 120_000 }, async () => {
  const growth = async (sizeMib: number) => Number(await run(process.execPath, [join(import.meta.dirname, 'memory-growth.ts'), String(sizeMib)]))
  const [small, large] = [await growth(64), await growth(512)]
  expect(large - small).toBeLessThan(128)
})
