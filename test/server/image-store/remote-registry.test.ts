import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdtemp, open, readFile, rm } from 'node:fs/promises'
import { createServer, request as forward } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { run } from '../../../appliance/run.ts'
import { mediaTypes } from '../../../server/api/media-types.ts'
import { exportRaw } from '../../../server/image-store/export-raw.ts'
import { createImageStore, type ImageStore } from '../../../server/image-store/open-image-store.ts'
import { createRegistryClient, parseChallenge, type RegistryAddress } from '../../../server/image-store/registry-client.ts'
import { createRemoteRegistry } from '../../../server/image-store/remote-registry.ts'
import { openUploads } from '../../../server/image-store/upload-store.ts'
import { attachProof, readProof } from '../../../server/prove/attach-proof.ts'
import { provenOf } from '../prove/proof-rack.ts'
import { registryUser, startDockerRegistry } from './docker-registry.ts'
import { serveImages } from './image-server.ts'
import { chunkSizeBytes, digestOf, filled, makeSample, sampleConfig, storeSample } from './sample-image.ts'

const folderOf = async () => {
  const folder = await mkdtemp(join(tmpdir(), 'ingot-remote-'))
  onTestFinished(() => rm(folder, { recursive: true }))
  return folder
}
const storeAt = async (address: RegistryAddress): Promise<ImageStore> => createImageStore(createRemoteRegistry(createRegistryClient(address)), await openUploads(await folderOf()))

/** A registry that wants a password, and our images in it under `team/`. */
const setUp = async () => {
  const registry = await startDockerRegistry()
  onTestFinished(registry.close)
  const store = await storeAt({ url: `${registry.url}/team`, credentials: registryUser })
  return { registry, store, host: new URL(registry.url).host }
}
const image = (value: number, minute = value) =>
  [[filled(0, 1), filled(2 * chunkSizeBytes, value)], sampleConfig({ builtAt: `2026-11-23T21:${10 + minute}:00Z` })] as const

test('B23 a worker streams its image through the first computer into the registry, from which anyone takes it', { timeout: 60_000 }, async () => {
  const { registry, store, host } = await setUp()
  const server = await serveImages(store)
  onTestFinished(server.close)
  const headers = { authorization: 'Bearer credential', 'ingot-claim': 'claim' }
  const { blobs, bytes } = makeSample(...image(2))
  for (const blob of blobs) {
    const path = `${server.url}/v2/debian-12/blobs/`
    expect((await fetch(`${path}${digestOf(blob)}`, { method: 'HEAD', headers })).status).toBe(404)
    expect((await fetch(`${path}uploads/?digest=${digestOf(blob)}`, { method: 'POST', headers, body: blob })).status).toBe(201)
    expect((await fetch(`${path}${digestOf(blob)}`, { method: 'HEAD', headers })).status).toBe(200)
  }
  expect((await fetch(`${server.url}/v2/debian-12/manifests/job-1`, { method: 'PUT', headers, body: bytes })).status).toBe(201)
  expect(server.published).toMatchObject([{ name: 'debian-12', version: 'job-1', digest: digestOf(bytes) }])

  const pulled = await folderOf()
  await run('skopeo', ['copy', '--quiet', '--src-tls-verify=false', '--src-creds=ingot:pass word', `docker://${host}/team/debian-12:latest`, `oci:${pulled}:x`])
  for (const blob of [...blobs, bytes]) expect((await readFile(join(pulled, 'blobs/sha256', digestOf(blob).slice(7)))).equals(blob)).toBe(true)
  const again = await folderOf()
  const ours = `docker://${new URL(server.url).host}/debian-12:job-1`
  await run('skopeo', ['copy', '--quiet', '--src-tls-verify=false', '--src-creds=any:operator', ours, `oci:${again}:x`])
  expect((await readFile(registry.blobPath(digestOf(bytes)))).equals(bytes)).toBe(true)
})

test('versions are listed, resolved and exported from the registry, and never change', { timeout: 60_000 }, async () => {
  const { store } = await setUp()
  for (const [version, value] of [['job-2', 2], ['job-1', 3]] as const) await store.publish('debian-12', version, (await storeSample(store, ...image(value))).bytes)
  await store.publish('other', 'job-3', (await storeSample(store, ...image(9), 'other')).bytes)
  expect((await store.list()).map(({ name, version }) => `${name}:${version}`)).toEqual(['debian-12:job-2', 'debian-12:job-1', 'other:job-3'])
  expect(await store.resolve('debian-12')).toMatchObject({ version: 'job-1', config: { builtAt: '2026-11-23T21:13:00Z' } })
  const { digest } = await store.resolve('debian-12', 'job-2')
  expect((await store.resolve('debian-12', digest)).version).toBe('job-2')
  await expect(store.resolve('debian-12', 'job-9')).rejects.toMatchObject({ code: 'image-unknown' })
  await expect(store.resolve('nothing')).rejects.toMatchObject({ code: 'image-unknown' })
  await expect(store.publish('debian-12', 'job-1', (await storeSample(store, ...image(7))).bytes)).rejects.toMatchObject({ code: 'image-exists' })
  const path = join(await folderOf(), 'disk.raw')
  await exportRaw(store, 'debian-12', path, { reference: 'job-2' })
  const expected = Buffer.concat([1, 0, 2, 0].map((value) => Buffer.alloc(chunkSizeBytes, value)))
  expect((await readFile(path)).equals(expected)).toBe(true)
  await store.remove('debian-12', 'job-2')
  expect((await store.list()).map(({ version }) => version)).toEqual(['job-1', 'job-3'])
})

test('F3 an image that was received is in the registry by its digest alone, and gets its version and latest when it is made visible', { timeout: 60_000 }, async () => {
  const { store } = await setUp()
  await store.publish('debian-12', 'job-1', (await storeSample(store, ...image(2))).bytes)
  const { digest } = await store.receive('debian-12', 'job-2', (await storeSample(store, ...image(3))).bytes)
  expect((await store.list()).map(({ version }) => version)).toEqual(['job-1'])
  expect((await store.resolve('debian-12')).version).toBe('job-1')
  await expect(store.resolve('debian-12', 'job-2')).rejects.toMatchObject({ code: 'image-unknown' })
  const received = (await store.received('debian-12', 'job-2', digest))!
  await attachProof(store.registry, received, provenOf(received))
  expect(await store.makeVisible('debian-12', 'job-2', digest)).toMatchObject({ version: 'job-2', digest })
  expect((await store.resolve('debian-12')).version).toBe('job-2')
  expect(await readProof(store.registry, received)).toEqual(provenOf(received).record)
})

test('F2 a flipped bit in the registry is found before anything is published', { timeout: 60_000 }, async () => {
  const { registry, store } = await setUp()
  const { bytes, manifest } = await storeSample(store, ...image(2))
  const path = registry.blobPath(manifest.layers[1]!.digest)
  const file = await open(path, 'r+')
  await file.write(Buffer.from([(await readFile(path))[12]! ^ 1]), 0, 1, 12)
  await file.close()
  await expect(store.publish('debian-12', 'job-1', bytes)).rejects.toMatchObject({ code: 'image-corrupt' })
  expect(await store.list()).toEqual([])
})

test('a blob with another digest, or too large, or from a stream that breaks, is not in the registry', { timeout: 60_000 }, async () => {
  const { store } = await setUp()
  const blobs = store.registry.blobs('debian-12')
  const wanted = digestOf(Buffer.from('wanted'))
  const breaking = async function* () {
    yield Buffer.from('want')
    throw new Error('cut')
  }
  await expect(blobs.write(wanted, [Buffer.from('other')])).rejects.toMatchObject({ code: 'blob-refused' })
  await expect(blobs.write(wanted, [randomBytes(100_000), randomBytes(100_000)], { maxBytes: 150_000 })).rejects.toMatchObject({ code: 'blob-too-large' })
  await expect(blobs.write(wanted, breaking())).rejects.toThrow('cut')
  expect(await blobs.size(wanted)).toBeUndefined()
  await blobs.write(wanted, [Buffer.from('wanted')])
  expect(await blobs.size(wanted)).toBe(6)
})

test('F9 an upload in pieces is gathered here and then handed on', { timeout: 60_000 }, async () => {
  const { store } = await setUp()
  const server = await serveImages(store)
  onTestFinished(server.close)
  const headers = { authorization: 'Bearer operator' }
  const bytes = randomBytes(300_000)
  const location = (await fetch(`${server.url}/v2/library/x/blobs/uploads/`, { method: 'POST', headers })).headers.get('location')
  await fetch(`${server.url}${location}`, { method: 'PATCH', headers, body: bytes.subarray(0, 100_000) })
  expect((await fetch(`${server.url}${location}?digest=${digestOf(bytes)}`, { method: 'PUT', headers, body: bytes.subarray(100_000) })).status).toBe(201)
  const part = await fetch(`${server.url}/v2/library/x/blobs/${digestOf(bytes)}`, { headers: { ...headers, range: 'bytes=299990-' } })
  expect([part.status, Buffer.from(await part.arrayBuffer()).equals(bytes.subarray(299_990))]).toEqual([206, true])
})

test('what is about an image is found also in a registry that knows no referrers', { timeout: 60_000 }, async () => {
  const { store } = await setUp()
  const { digest, manifestBytes } = await store.publish('debian-12', 'job-1', (await storeSample(store, ...image(2))).bytes)
  const empty = Buffer.from('{}')
  await store.registry.blobs('debian-12').write(digestOf(empty), [empty])
  const descriptor = { mediaType: 'application/vnd.oci.empty.v1+json', digest: digestOf(empty), size: 2 }
  for (const artifactType of ['text/x-bill', 'text/x-signature']) {
    const subject = { mediaType: mediaTypes.manifest, digest, size: manifestBytes }
    const bytes = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: mediaTypes.manifest, artifactType, config: descriptor, layers: [descriptor], subject }))
    await store.putManifest('debian-12', digestOf(bytes), bytes)
  }
  expect((await store.registry.referrers('debian-12', digest)).map(({ artifactType }) => artifactType)).toEqual(['text/x-bill', 'text/x-signature'])
  expect(await store.registry.referrers('debian-12', digestOf(empty))).toEqual([])
  expect((await store.list()).length).toBe(1)
})

test('a wrong password, no password and a registry that is away are told as such', { timeout: 60_000 }, async () => {
  const { registry } = await setUp()
  const { host } = new URL(registry.url)
  const wrong = await storeAt({ url: registry.url, credentials: { username: 'ingot', password: 'guess' } })
  await expect(wrong.list()).rejects.toMatchObject({ code: 'store-unreachable', message: expect.stringMatching(new RegExp(`^registry ${host}: GET /v2/_catalog was refused with 401: UNAUTHORIZED`)) })
  const none = await storeAt({ url: registry.url })
  await expect(none.list()).rejects.toMatchObject({ code: 'store-unreachable', message: `registry ${host}: wants a user name and a password, and images.registry in the configuration has none` })
  const listener = createServer().listen(0, '127.0.0.1')
  await once(listener, 'listening')
  const { port } = listener.address() as AddressInfo
  await once(listener.close(), 'close')
  const away = await storeAt({ url: `http://127.0.0.1:${port}` })
  await expect(away.list()).rejects.toMatchObject({ code: 'store-unreachable', message: expect.stringContaining('ECONNREFUSED') })
})

test('a registry that sends its clients to a token service is logged into there', { timeout: 60_000 }, async () => {
  const registry = await startDockerRegistry({ open: true })
  onTestFinished(registry.close)
  const scopes: string[] = []
  const door = createServer((request, response) => {
    const url = new URL(request.url!, 'http://door')
    const basic = `Basic ${Buffer.from('ingot:pass word').toString('base64')}`
    if (url.pathname === '/token') {
      scopes.push(url.searchParams.get('scope')!)
      return void response.writeHead(request.headers.authorization === basic ? 200 : 401).end(JSON.stringify({ token: `for-${url.searchParams.get('scope')}` }))
    }
    const name = /^\/v2\/(.+?)\/(blobs|manifests|tags)\//.exec(url.pathname)?.[1]
    const scope = name === undefined ? 'registry:catalog:*' : `repository:${name}:pull,push,delete`
    if (request.headers.authorization !== `Bearer for-${scope}`) {
      return void response.writeHead(401, { 'www-authenticate': `Bearer realm="http://${request.headers.host}/token",service="door"` }).end()
    }
    const { host: _, authorization: __, ...headers } = request.headers
    const passed = forward(new URL(request.url!, registry.url), { method: request.method!, headers: { ...headers, host: request.headers.host } }, (answer) => {
      response.writeHead(answer.statusCode!, answer.headers)
      answer.pipe(response)
    })
    request.pipe(passed)
  }).listen(0, '127.0.0.1')
  await once(door, 'listening')
  onTestFinished(() => void door.close())
  const url = `http://127.0.0.1:${(door.address() as AddressInfo).port}`
  const store = await storeAt({ url, credentials: registryUser })
  await store.publish('debian-12', 'job-1', (await storeSample(store, ...image(2))).bytes)
  expect((await store.list()).map(({ version }) => version)).toEqual(['job-1'])
  expect(scopes).toEqual(['repository:debian-12:pull,push,delete', 'registry:catalog:*'])
})

test.each([
  ['Basic realm="a b"', { scheme: 'basic', parameters: { realm: 'a b' } }],
  ['Bearer realm="https://x/token",service=y,scope="a:b:c,d"', { scheme: 'bearer', parameters: { realm: 'https://x/token', service: 'y', scope: 'a:b:c,d' } }],
  ['', { scheme: '', parameters: {} }],
])('the challenge %s is read', (header, expected) => {
  expect(parseChallenge(header)).toEqual(expected)
})
