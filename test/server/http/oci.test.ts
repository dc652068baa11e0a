import { readdir, rm, mkdtemp } from 'node:fs/promises'
import { connect } from 'node:net'
import { once } from 'node:events'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test, vi } from 'vitest'
import { run } from '../../../appliance/run.ts'
import { mediaTypes } from '../../../server/api/media-types.ts'
import { startImageServer } from '../image-store/image-server.ts'
import { chunkSizeBytes, digestOf, filled, storeSample } from '../image-store/sample-image.ts'

const setUp = async () => {
  const server = await startImageServer()
  onTestFinished(server.close)
  const ask = (path: string, init: RequestInit = {}) =>
    fetch(`${server.url}${path}`, { ...init, headers: { authorization: 'Bearer credential', 'ingot-claim': 'claim', ...init.headers } })
  return { server, ask }
}
const asOperator = { headers: { authorization: 'Bearer operator' } }
const codeOf = async (response: Response) => ((await response.json()) as { errors: { code: string }[] }).errors[0]?.code
const blob = Buffer.from('a blob')
const filesOf = async (directory: string) => [...(await readdir(join(directory, 'blobs/sha256'))), ...(await readdir(join(directory, 'uploads')))]

test('a blob goes up in one request and comes down again', async () => {
  const { ask } = await setUp()
  expect((await ask(`/v2/debian-12/blobs/${digestOf(blob)}`, { method: 'HEAD' })).status).toBe(404)
  const upload = await ask(`/v2/debian-12/blobs/uploads/?digest=${digestOf(blob)}`, { method: 'POST', body: blob })
  expect([upload.status, upload.headers.get('location')]).toEqual([201, `/v2/debian-12/blobs/${digestOf(blob)}`])
  const head = await ask(upload.headers.get('location')!, { method: 'HEAD' })
  expect([head.status, head.headers.get('content-length'), head.headers.get('docker-content-digest')]).toEqual([200, '6', digestOf(blob)])
  expect(await (await ask(upload.headers.get('location')!)).text()).toBe('a blob')
})

test('a blob goes up in two requests', async () => {
  const { ask } = await setUp()
  const begun = await ask('/v2/debian-12/blobs/uploads/', { method: 'POST' })
  expect(begun.status).toBe(202)
  const upload = await ask(`${begun.headers.get('location')}?digest=${digestOf(blob)}`, { method: 'PUT', body: blob })
  expect(upload.status).toBe(201)
})

test('a manifest publishes the image, which is found by version, by latest and by digest', async () => {
  const { server, ask } = await setUp()
  const { bytes } = await storeSample(server.store, [filled(0, 1)])
  const put = await ask('/v2/debian-12/manifests/job-1', { method: 'PUT', body: bytes, headers: { 'content-type': mediaTypes.manifest } })
  expect([put.status, put.headers.get('docker-content-digest')]).toEqual([201, digestOf(bytes)])
  expect(server.published.map(({ name, version, digest }) => [name, version, digest])).toEqual([['debian-12', 'job-1', digestOf(bytes)]])
  for (const reference of ['job-1', 'latest', digestOf(bytes)]) {
    const head = await ask(`/v2/debian-12/manifests/${reference}`, { method: 'HEAD' })
    expect([head.status, head.headers.get('content-length'), head.headers.get('content-type')]).toEqual([200, String(bytes.length), mediaTypes.manifest])
    expect(Buffer.from(await (await ask(`/v2/debian-12/manifests/${reference}`)).arrayBuffer()).equals(bytes)).toBe(true)
  }
})

test('tags are listed in order, in pages', async () => {
  const { server, ask } = await setUp()
  for (const version of ['job-2', 'job-3', 'job-1']) await server.store.publish('debian-12', version, (await storeSample(server.store, [filled(0, 1)])).bytes)
  expect(await (await ask('/v2/debian-12/tags/list', asOperator)).json()).toEqual({ name: 'debian-12', tags: ['job-1', 'job-2', 'job-3'] })
  expect(await (await ask('/v2/debian-12/tags/list?n=1&last=job-1', asOperator)).json()).toEqual({ name: 'debian-12', tags: ['job-2'] })
})

test('each refusal has the status and the code of the distribution specification', async () => {
  const { server, ask } = await setUp()
  const { bytes, manifest } = await storeSample(server.store, [filled(0, 1)])
  await server.store.publish('debian-12', 'job-1', bytes)
  const other = (await storeSample(server.store, [filled(0, 2)])).bytes
  const missing = Buffer.from(JSON.stringify({ ...manifest, config: { ...manifest.config, digest: digestOf(Buffer.from('missing')) } }))
  const put = (body: Uint8Array<ArrayBuffer>, headers = {}) => ({ method: 'PUT', body, headers })
  const post = (body: Uint8Array<ArrayBuffer>) => ({ method: 'POST', body })
  const cases: [string, RequestInit, number, string][] = [
    ['/v2/', { headers: { authorization: 'Bearer wrong' } }, 401, 'UNAUTHORIZED'],
    [`/v2/debian-12/blobs/${digestOf(blob)}`, {}, 404, 'BLOB_UNKNOWN'],
    ['/v2/debian-12/blobs/sha256:abc', {}, 400, 'DIGEST_INVALID'],
    ['/v2/Debian/tags/list', {}, 400, 'NAME_INVALID'],
    ['/v2/nothing/tags/list', asOperator, 404, 'NAME_UNKNOWN'],
    ['/v2/debian-12/manifests/job-9', {}, 404, 'MANIFEST_UNKNOWN'],
    [`/v2/debian-12/blobs/uploads/?digest=${digestOf(Buffer.from('other'))}`, post(blob), 400, 'DIGEST_INVALID'],
    ['/v2/debian-12/blobs/uploads/?digest=md5:1', post(blob), 400, 'DIGEST_INVALID'],
    [`/v2/debian-12/blobs/uploads/?digest=${digestOf(blob)}`, { ...post(blob), headers: { 'ingot-claim': 'old' } }, 410, 'DENIED'],
    ['/v2/debian-12/manifests/job-2', put(Buffer.from('{}')), 400, 'MANIFEST_INVALID'],
    ['/v2/debian-12/manifests/job-2', put(missing), 400, 'MANIFEST_BLOB_UNKNOWN'],
    ['/v2/debian-12/manifests/job-1', put(other), 409, 'DENIED'],
    ['/v2/debian-12/manifests/job-2', put(other, { 'ingot-claim': 'old' }), 410, 'DENIED'],
    [`/v2/debian-12/manifests/${digestOf(other)}`, put(other), 405, 'UNSUPPORTED'],
  ]
  for (const [path, init, status, code] of cases) {
    const response = await ask(path, init)
    expect([path, response.status, await codeOf(response)]).toEqual([path, status, code])
  }
  expect((await server.store.list()).length).toBe(1)
})

test('a blob or manifest that is too large is refused, also when its length is not told before', async () => {
  const { server, ask } = await setUp()
  const before = await filesOf(server.directory)
  const endless = () => {
    let left = 40
    return new ReadableStream({ pull: (controller) => (left-- > 0 ? controller.enqueue(new Uint8Array(chunkSizeBytes)) : controller.close()) })
  }
  for (const [path, method] of [[`/v2/x/blobs/uploads/?digest=${digestOf(blob)}`, 'POST'], ['/v2/x/manifests/job-1', 'PUT']] as const) {
    const declared = await ask(path, { method, body: new Uint8Array(17 * chunkSizeBytes) })
    expect([declared.status, await codeOf(declared)]).toEqual([413, 'SIZE_INVALID'])
    const streamed = await ask(path, { method, body: endless(), duplex: 'half' } as RequestInit)
    expect([streamed.status, await codeOf(streamed)]).toEqual([413, 'SIZE_INVALID'])
  }
  expect(await filesOf(server.directory)).toEqual(before)
})

test('F3 an upload that is cut in the middle leaves nothing', async () => {
  const { server } = await setUp()
  const socket = connect(Number(new URL(server.url).port), '127.0.0.1')
  await once(socket, 'connect')
  const path = `/v2/debian-12/blobs/uploads/?digest=${digestOf(blob)}`
  socket.write(`POST ${path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer credential\r\nIngot-Claim: claim\r\nContent-Length: 1000000\r\n\r\n${'x'.repeat(400_000)}`)
  await vi.waitFor(async () => expect((await readdir(join(server.directory, 'uploads'))).length).toBe(1))
  socket.destroy()
  await vi.waitFor(async () => expect(await filesOf(server.directory)).toEqual([]))
})

test('skopeo lists, copies and reads an image, byte for byte', { timeout: 60_000 }, async () => {
  const { server } = await setUp()
  const { bytes, manifest } = await storeSample(server.store, [filled(0, 1), filled(2 * chunkSizeBytes, 3)])
  await server.store.publish('debian-12', 'job-1', bytes)
  const folder = await mkdtemp(join(tmpdir(), 'ingot-skopeo-'))
  onTestFinished(() => rm(folder, { recursive: true }))
  const source = `docker://${new URL(server.url).host}/debian-12`
  expect(JSON.parse(await run('skopeo', ['list-tags', '--tls-verify=false', '--creds=any:operator', source]))).toMatchObject({ Tags: ['job-1'] })
  await run('skopeo', ['copy', '--quiet', '--src-tls-verify=false', '--src-creds=any:operator', `${source}:latest`, `oci:${folder}:copy`])
  const blobs = [digestOf(bytes), manifest.config.digest, ...manifest.layers.map(({ digest }) => digest)].map((digest) => digest.slice(7))
  expect((await readdir(join(folder, 'blobs/sha256'))).sort()).toEqual(blobs.sort())
})
