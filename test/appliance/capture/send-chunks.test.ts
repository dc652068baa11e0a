import { randomBytes } from 'node:crypto'
import { mkdtemp, open, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { zstdDecompressSync } from 'node:zlib'
import { expect, onTestFinished, test } from 'vitest'
import { compressChunk } from '../../../appliance/capture/compress-chunk.ts'
import { planChunks } from '../../../appliance/capture/plan-chunks.ts'
import { sendChunks } from '../../../appliance/capture/send-chunks.ts'
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
  readManifest: () => Promise.reject(new Error('not asked for')),
  readBlob: () => Promise.reject(new Error('not asked for')),
  findSnapshot: () => Promise.reject(new Error('not asked for')),
  pushSnapshot: () => Promise.reject(new Error('not asked for')),
  hasBlob: async (_image, digest) => known.has(digest),
  pushBlob: (_image, digest, bytes) => receive(digest, bytes),
  pushManifest: () => Promise.reject(new Error('not asked for')),
})
const options = (server: JobServer) => ({ server, image: 'x', signal: new AbortController().signal, onProgress: () => {} })

test('equal chunks are sent once, zero chunks never, known chunks not', async () => {
  const [first, second, known] = [Buffer.alloc(chunkSizeBytes, 1), randomBytes(chunkSizeBytes), Buffer.alloc(chunkSizeBytes, 2)]
  const { disk, plan } = await makeDisk([first, Buffer.alloc(chunkSizeBytes), second, first, known, first])
  const received: Buffer[] = []
  const server = serverWith(new Set([digestOf(compressChunk(known))]), async (_, bytes) => void received.push(zstdDecompressSync(bytes)))
  const { layers } = await sendChunks(disk, plan, options(server))
  expect(received.map((bytes) => (bytes.equals(first) ? 'first' : bytes.equals(second) ? 'second' : 'other')).sort()).toEqual(['first', 'second'])
  expect(layers.map(({ annotations }) => Number(annotations['dev.ingot.disk.offset']) / chunkSizeBytes)).toEqual([0, 2, 3, 4, 5])
  expect(new Set(layers.map(({ digest }) => digest)).size).toBe(3)
})

test('F9 however slow the server, no more than a chunk is on its way, in as many pieces as there are', async () => {
  const chunk = () => Buffer.concat([randomBytes(chunkSizeBytes / 4)], chunkSizeBytes)
  const { disk, plan } = await makeDisk(Array.from({ length: 40 }, (_, index) => (index % 10 === 0 ? randomBytes(chunkSizeBytes) : chunk())))
  const onTheirWay = new Map<string, number>()
  const most = { blobs: 0, bytesOfSeveral: 0 }
  const server = serverWith(new Set(), async (digest, bytes) => {
    onTheirWay.set(digest, bytes.length)
    most.blobs = Math.max(most.blobs, onTheirWay.size)
    if (onTheirWay.size > 1) most.bytesOfSeveral = Math.max(most.bytesOfSeveral, [...onTheirWay.values()].reduce((sum, each) => sum + each))
    await sleep(5)
    onTheirWay.delete(digest)
  })
  await sendChunks(disk, plan, options(server))
  expect(most.blobs).toBe(3)
  expect(most.bytesOfSeveral).toBeLessThanOrEqual(chunkSizeBytes)
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
  const frames = Array.from({ length: 8 }, () => compressChunk(bytes))
  expect(new Set(frames.map(digestOf))).toEqual(new Set(['sha256:dfa8d7f5a7f7ade3787ed59fba14114e5a0936bf601eb80ab27cfed68685058a']))
})

test('memory does not grow with the disk, neither of the worker nor of the server', { timeout: 300_000 }, async () => {
  const growth = async (sizeMib: number) => Number(await run(process.execPath, [join(import.meta.dirname, 'memory-growth.ts'), String(sizeMib)]))
  const [small, large] = [await growth(64), await growth(512)]
  expect(large - small).toBeLessThan(128)
})
