import { randomBytes } from 'node:crypto'
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { zstdCompressSync } from 'node:zlib'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { ImageManifest } from '../../../server/api/image.ts'
import { maxBlobBytes } from '../../../server/image-store/blob-store.ts'
import { hashFile } from '../../../server/image-store/hash-file.ts'
import { startImageServer, type ImageServer } from '../image-store/image-server.ts'
import { chunkSizeBytes, digestOf, filled, makeSample, sampleConfig, storeSample, type SampleImage } from '../image-store/sample-image.ts'

/*
 * A worker with a valid credential and a valid claim that lies, byte by byte as it likes: node:http sends a path as it is given. Each lie is refused with its
 * reason, and afterwards there is nothing that was not there, neither visible nor beside the store.
 */
let folder: string
let server: ImageServer
/** An image of whose blobs the liar makes use, and which others see. */
let honest: SampleImage

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ingot-liar-'))
  await writeFile(join(folder, 'secret'), 'nobody outside reads this')
  server = await startImageServer({ directory: join(folder, 'images') })
  honest = await storeSample(server.store, [filled(0, 1), filled(chunkSizeBytes, 2)])
  await server.store.publish('debian-12', 'job-1', honest.bytes)
})
afterAll(async () => {
  await server.close()
  await rm(folder, { recursive: true })
})

interface Lie {
  method: string
  path: string
  body?: Uint8Array | string
  headers?: Record<string, string>
}

async function tell({ method, path, body, headers = {} }: Lie): Promise<{ status: number; message: string }> {
  const { hostname, port } = new URL(server.url)
  const asked = request({ hostname, port, method, path, headers: { authorization: 'Bearer credential', 'ingot-claim': 'claim', 'ingot-job': 'debian', ...headers } })
  const answered = new Promise<{ status: number; message: string }>((resolve, reject) => {
    asked.on('error', reject)
    asked.on('response', async (response) => {
      const said = await text(response)
      const { errors = [], title = '' } = (said.startsWith('{') ? JSON.parse(said) : {}) as { errors?: { message: string }[]; title?: string }
      resolve({ status: response.statusCode!, message: errors[0]?.message ?? title })
    })
  })
  asked.end(body)
  return answered
}

const blob = randomBytes(1000)
const secretDigest = digestOf(Buffer.from('nobody outside reads this'))
const push = (digest: string, body: Uint8Array | string = blob, name = 'debian-12'): Lie => ({ method: 'POST', path: `/v2/${name}/blobs/uploads/?digest=${digest}`, body })
const publish = (manifest: object, { name = 'debian-12', version = 'job-2', headers = {} } = {}): Lie => ({
  method: 'PUT',
  path: `/v2/${name}/manifests/${version}`,
  body: JSON.stringify(manifest),
  headers,
})
type Layer = ImageManifest['layers'][number]
/** The honest manifest with one thing changed about its second chunk. */
const withLayer = (change: (layer: Layer) => object): object => {
  const [first, second] = honest.manifest.layers as [Layer, Layer]
  return { ...honest.manifest, layers: [first, { ...second, ...change(second) }] }
}
const annotated = (key: 'offset' | 'length', value: string) => withLayer(({ annotations }) => ({ annotations: { ...annotations, [`dev.ingot.disk.${key}`]: value } }))
/** A manifest of chunks that were really sent. */
const sent = async (...args: Parameters<typeof makeSample>): Promise<object> => {
  const { blobs, manifest } = makeSample(...args)
  for (const each of blobs) expect((await tell(push(digestOf(each), each))).status).toBe(201)
  return manifest
}

test.each<[string, () => Lie | Promise<Lie>, number, string]>([
  ['a blob under the digest of another', () => push(secretDigest), 400, `expected the digest ${secretDigest}, got ${digestOf(blob)} of 1000 bytes`],
  ['an empty blob under the digest of another', () => push(secretDigest, ''), 400, 'of 0 bytes'],
  ['a digest that is a path', () => push('sha256:../../../secret'), 400, 'expected sha256: and 64 hex digits'],
  ['a digest that is a path in disguise', () => push('sha256:..%2f..%2f..%2fsecret'), 400, 'expected sha256: and 64 hex digits'],
  ['a digest of another kind', () => push(`md5:${'0'.repeat(64)}`), 400, 'expected sha256: and 64 hex digits'],
  ['a digest in capitals', () => push(digestOf(blob).toUpperCase()), 400, 'expected sha256: and 64 hex digits'],
  ['a blob that is announced as too large', () => push(digestOf(blob), Buffer.alloc(maxBlobBytes + 1)), 413, `expected at most ${maxBlobBytes} bytes`],
  ['a blob that is too large and not announced', () => ({ ...push(digestOf(blob), Buffer.alloc(maxBlobBytes + 1)), headers: { 'transfer-encoding': 'chunked' } }), 413, `expected at most ${maxBlobBytes} bytes`],
  ['a name that climbs', () => push(digestOf(blob), blob, '../../etc'), 400, 'name: expected small letters'],
  ['a name that climbs in disguise', () => push(digestOf(blob), blob, '..%2f..%2fetc'), 400, 'name: expected small letters'],
  ['a name with a zero byte', () => push(digestOf(blob), blob, 'debian%00'), 400, 'name: expected small letters'],
  ['a name of 300 letters', () => push(digestOf(blob), blob, 'a'.repeat(300)), 400, 'name: expected small letters'],
  ['the name of another job', () => push(digestOf(blob), blob, 'debian-13'), 409, 'this job makes debian-12'],
  ['a version that climbs', () => publish(honest.manifest, { version: '../../secret' }), 405, 'nothing does PUT at /v2/debian-12/manifests/../../secret'],
  ['a version that climbs in disguise', () => publish(honest.manifest, { version: '..%2f..%2fsecret' }), 405, 'nothing does PUT at'],
  ['a version called latest', () => publish(honest.manifest, { version: 'latest' }), 400, 'but not latest'],
  ['a version that is there with other contents', () => publish(withLayer(() => ({ digest: honest.manifest.layers[0]!.digest })), { version: 'job-1' }), 409, 'a version never changes'],
  ['the claim of nobody', () => publish(honest.manifest, { headers: { 'ingot-claim': 'guessed' } }), 410, 'this claim has ended'],
  ['an upload that is a file elsewhere', () => ({ method: 'PATCH', path: '/v2/debian-12/blobs/uploads/..%2f..%2fsecret', body: blob }), 405, 'nothing does PATCH at'],
  ['an upload that is a file elsewhere, to make it a blob', () => ({ method: 'PUT', path: `/v2/debian-12/blobs/uploads/..%2f..%2fsecret?digest=${secretDigest}` }), 405, 'nothing does PUT at'],
  ['an upload that is a file elsewhere, to delete it', () => ({ method: 'DELETE', path: '/v2/debian-12/blobs/uploads/..%2f..%2fsecret' }), 403, 'this needs the role operator'],
  ['an upload that is a folder', () => ({ method: 'DELETE', path: '/v2/debian-12/blobs/uploads/%2e%2e' }), 404, 'no upload .. is under way'],
  ['a blob that is a file elsewhere', () => ({ method: 'GET', path: '/v2/debian-12/blobs/sha256:..%2f..%2f..%2fsecret' }), 405, 'nothing does GET at'],
  ['a mount from a path', () => ({ method: 'POST', path: `/v2/debian-12/blobs/uploads/?mount=${digestOf(blob)}&from=../../etc` }), 400, 'name: expected small letters'],
  ['a manifest that is no JSON', () => ({ ...publish({}), body: 'GIF89a' }), 400, 'expected JSON'],
  ['a chunk that was never sent', () => publish(withLayer(() => ({ digest: digestOf(blob) }))), 400, `blob ${digestOf(blob)} is not in the store`],
  ['a config that was never sent', () => publish({ ...honest.manifest, config: { ...honest.manifest.config, digest: digestOf(blob) } }), 400, 'is not in the store'],
  ['a chunk whose digest is a path', () => publish(withLayer(() => ({ digest: 'sha256:../../../secret' }))), 400, 'layers[1].digest'],
  ['a chunk of another size', () => publish(withLayer(({ size }) => ({ size: size + 1 }))), 400, 'expected the declared size'],
  ['a chunk of a negative size', () => publish(withLayer(() => ({ size: -1 }))), 400, 'layers[1].size'],
  ['a chunk over another', () => publish(annotated('offset', '0')), 400, 'an offset of at least 1048576'],
  ['a chunk at no number', () => publish(annotated('offset', '1e6')), 400, 'offset'],
  ['a chunk before the disk', () => publish(annotated('offset', '-1048576')), 400, 'offset'],
  ['a chunk behind the disk', () => publish(annotated('offset', String(4 * chunkSizeBytes))), 400, 'an offset inside the disk of 4194304 bytes'],
  ['a chunk that fills half its place', () => publish(annotated('length', '4096')), 400, 'a length of 1048576'],
  ['a chunk from elsewhere', () => publish(withLayer(() => ({ urls: ['http://169.254.169.254/'] }))), 400, 'urls'],
  ['a chunk that expands without end', async () => publish(await sent([{ offsetBytes: 0, bytes: Buffer.alloc(0), lengthBytes: chunkSizeBytes, blob: zstdCompressSync(Buffer.alloc(256 * chunkSizeBytes)) }])), 400, 'got a longer one'],
  ['a chunk that is no zstd', async () => publish(await sent([{ offsetBytes: 0, bytes: Buffer.alloc(0), lengthBytes: chunkSizeBytes, blob: randomBytes(1000) }])), 400, 'expected a zstd frame'],
  ['chunks larger than any blob', async () => publish(await sent([filled(0, 9)], sampleConfig({ chunkSizeBytes: 2 ** 40, diskSizeBytes: 2 ** 40 }))), 400, 'chunkSizeBytes: expected at most'],
  ['a config larger than any blob, to have it held', () => publish({ ...honest.manifest, config: { ...honest.manifest.config, size: 2 ** 40 } }), 400, `expected at most ${maxBlobBytes} bytes`],
  ['a chunk larger than any blob, to have it held', () => publish(withLayer(() => ({ size: 2 ** 40 }))), 400, `expected at most ${maxBlobBytes} bytes`],
  ['a config that is none', async () => {
    const config = Buffer.from('{"version":1}')
    expect((await tell(push(digestOf(config), config))).status).toBe(201)
    return publish({ ...honest.manifest, config: { ...honest.manifest.config, digest: digestOf(config), size: config.length } })
  }, 400, 'config'],
])('F2 F3 a worker that sends %s is told why not, and nothing comes of it', async (_, lie, status, reason) => {
  const answer = await tell(await lie())
  expect([answer.status, answer.message]).toEqual([status, expect.stringContaining(reason)])
  expect(answer.message).not.toBe('')

  expect((await server.store.list()).map(({ version, digest }) => [version, digest])).toEqual([['job-1', digestOf(honest.bytes)]])
  expect(server.published).toEqual([])
  expect((await readdir(folder)).sort()).toEqual(['images', 'secret'])
  expect(await readFile(join(folder, 'secret'), 'utf8')).toBe('nobody outside reads this')
  expect(await readdir(join(server.directory, 'uploads'))).toEqual([])
  for (const name of await readdir(join(server.directory, 'blobs/sha256'))) {
    expect(name).not.toBe(secretDigest.slice(7))
    expect((await hashFile(join(server.directory, 'blobs/sha256', name))).digest).toBe(`sha256:${name}`)
  }
})
