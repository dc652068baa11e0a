import { randomBytes } from 'node:crypto'
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { describe, expect, onTestFinished, test } from 'vitest'
import { run } from '../../../appliance/run.ts'
import { mediaTypes } from '../../../server/api/media-types.ts'
import { sharedBlobBytes } from '../../../server/image-store/shared-reads.ts'
import { startImageServer } from '../image-store/image-server.ts'
import { digestOf, filled, storeSample } from '../image-store/sample-image.ts'
import { curl, type CurlAnswer } from './curl.ts'

/*
 * Every endpoint of OCI distribution-spec 1.1 and how it is checked; the numbers are those of its table "Endpoints". `oci.test.ts` beside this has what
 * workers do and every refusal.
 */

const indexType = 'application/vnd.oci.image.index.v1+json'
const emptyType = 'application/vnd.oci.empty.v1+json'
const empty = Buffer.from('{}')

const setUp = async () => {
  const server = await startImageServer()
  onTestFinished(server.close)
  const ask = (method: string, path: string, options: string[] = [], body?: Uint8Array | string): Promise<CurlAnswer> =>
    curl(new URL(path, server.url).href, [...(method === 'HEAD' ? ['--head'] : ['--request', method]), ...options], body)
  const push = async (name: string, bytes: Uint8Array) => ask('POST', `/v2/${name}/blobs/uploads/?digest=${digestOf(bytes)}`, [], bytes)
  const put = (name: string, reference: string, manifest: object, type: string = mediaTypes.manifest) =>
    ask('PUT', `/v2/${name}/manifests/${reference}`, ['--header', `content-type: ${type}`], JSON.stringify(manifest))
  return { server, ask, push, put }
}
const folderOf = async () => {
  const folder = await mkdtemp(join(tmpdir(), 'ingot-oci-'))
  onTestFinished(() => rm(folder, { recursive: true }))
  return folder
}
const codeOf = ({ body }: CurlAnswer) => (JSON.parse(body.toString()) as { errors: { code: string }[] }).errors[0]?.code
const descriptor = (mediaType: string, bytes: Uint8Array) => ({ mediaType, digest: digestOf(bytes), size: bytes.length })
const artifact = (artifactType: string, more: object = {}) => ({
  schemaVersion: 2,
  mediaType: mediaTypes.manifest,
  artifactType,
  config: descriptor(emptyType, empty),
  layers: [descriptor(emptyType, empty)],
  ...more,
})
const bytesOf = (manifest: object) => Buffer.from(JSON.stringify(manifest))

/** An image for containers in an OCI layout, as a builder would leave it. */
const makeContainerImage = async (folder: string) => {
  const layer = gzipSync(randomBytes(300_000))
  const config = bytesOf({ architecture: 'amd64', os: 'linux', rootfs: { type: 'layers', diff_ids: [digestOf(layer)] }, config: {} })
  const manifest = bytesOf({
    schemaVersion: 2,
    mediaType: mediaTypes.manifest,
    config: descriptor('application/vnd.oci.image.config.v1+json', config),
    layers: [descriptor('application/vnd.oci.image.layer.v1.tar+gzip', layer)],
  })
  await mkdir(join(folder, 'blobs/sha256'), { recursive: true })
  for (const bytes of [layer, config, manifest]) await writeFile(join(folder, 'blobs/sha256', digestOf(bytes).slice(7)), bytes)
  const entry = { ...descriptor(mediaTypes.manifest, manifest), annotations: { 'org.opencontainers.image.ref.name': '12' } }
  await writeFile(join(folder, 'index.json'), bytesOf({ schemaVersion: 2, manifests: [entry] }))
  await writeFile(join(folder, 'oci-layout'), '{"imageLayoutVersion":"1.0.0"}')
  return { manifest, layer, config }
}

describe('end-1 GET /v2/: curl, skopeo', () => {
  test('the credential is the password of any user name; without it a client is asked for one', async () => {
    const { server, ask } = await setUp()
    expect((await ask('GET', '/v2/')).status).toBe(200)
    const refused = await curl(`${server.url}/v2/`, ['--user', 'any:wrong'])
    expect([refused.status, refused.headers['www-authenticate'], codeOf(refused)]).toEqual([401, 'Basic realm="Ingot", charset="UTF-8"', 'UNAUTHORIZED'])
  })
})

describe('end-2 GET, HEAD blobs: curl, skopeo', () => {
  test('a blob comes whole, in parts, and goes on where it broke off', async () => {
    const { ask, push } = await setUp()
    const bytes = randomBytes(700_000)
    await push('library/debian', bytes)
    const path = `/v2/library/debian/blobs/${digestOf(bytes)}`
    const head = await ask('HEAD', path)
    expect([head.status, head.headers['content-length'], head.headers['docker-content-digest']]).toEqual([200, '700000', digestOf(bytes)])
    expect((await ask('GET', path)).body.equals(bytes)).toBe(true)
    const ranges: [string, number, number][] = [['0-9', 0, 10], ['699990-', 699_990, 700_000], ['-5', 699_995, 700_000], ['10-9999999', 10, 700_000]]
    for (const [range, first, end] of ranges) {
      const part = await ask('GET', path, ['--range', range])
      expect([part.status, part.headers['content-range'], part.body.equals(bytes.subarray(first, end))]).toEqual([206, `bytes ${first}-${end - 1}/700000`, true])
    }
    const beyond = await ask('GET', path, ['--range', '700000-'])
    expect([beyond.status, beyond.headers['content-range']]).toEqual([416, 'bytes */700000'])
    expect((await ask('HEAD', path.replace('sha256:', 'sha256:0').slice(0, -1))).status).toBe(404)
  })

  test.each<[what: string, sizeBytes: number]>([
    ['that is read whole', 700_000],
    ['that is sent as it is read', sharedBlobBytes + 1],
  ])('F2 a blob %s and was damaged on the disk never arrives whole, and can be pushed again', async (what, sizeBytes) => {
    const { server, ask, push } = await setUp()
    const bytes = randomBytes(sizeBytes)
    await push('debian', bytes)
    const path = `/v2/debian/blobs/${digestOf(bytes)}`
    const file = server.store.registry.files.path(digestOf(bytes))
    await writeFile(file, Buffer.concat([bytes.subarray(0, -1), Buffer.from([bytes.at(-1)! ^ 1])]))
    if (what === 'that is read whole') expect((await ask('GET', path)).status).toBe(500)
    else await expect(ask('GET', path)).rejects.toThrow(/exited with 18/)
    expect((await ask('HEAD', path)).status).toBe(404)
    await push('debian', bytes)
    expect((await ask('GET', path)).body.equals(bytes)).toBe(true)
  })
})

describe('end-3, end-7 GET, HEAD, PUT manifests: curl, skopeo', () => {
  test('a manifest is found by its tag and by its digest, with its own media type, byte for byte', async () => {
    const { ask, push } = await setUp()
    await push('tools/thing', empty)
    // Unusual spacing has to stay.
    const text = JSON.stringify(artifact('text/x-note'), undefined, 3)
    const put = await ask('PUT', '/v2/tools/thing/manifests/v1', ['--header', `content-type: ${mediaTypes.manifest}`], text)
    expect([put.status, put.headers.location]).toEqual([201, `/v2/tools/thing/manifests/${digestOf(Buffer.from(text))}`])
    for (const reference of ['v1', digestOf(Buffer.from(text))]) {
      const got = await ask('GET', `/v2/tools/thing/manifests/${reference}`)
      expect([got.body.toString(), got.headers['content-type'], got.headers['docker-content-digest']]).toEqual([text, mediaTypes.manifest, digestOf(Buffer.from(text))])
      expect((await ask('HEAD', `/v2/tools/thing/manifests/${reference}`)).headers['content-length']).toBe(String(text.length))
    }
  })

  test('a manifest is pushed by digest too, an index after its parts', async () => {
    const { push, put, ask } = await setUp()
    await push('many', empty)
    const part = artifact('text/x-part')
    const index = { schemaVersion: 2, mediaType: indexType, manifests: [descriptor(mediaTypes.manifest, bytesOf(part))] }
    const early = await put('many', 'all', index, indexType)
    expect([early.status, codeOf(early)]).toEqual([400, 'MANIFEST_BLOB_UNKNOWN'])
    expect((await put('many', digestOf(bytesOf(part)), part)).status).toBe(201)
    expect((await put('many', 'all', index, indexType)).status).toBe(201)
    expect((await ask('GET', '/v2/many/manifests/all')).headers['content-type']).toBe(indexType)
    const wrong = await put('many', digestOf(Buffer.from('other')), part)
    expect([wrong.status, codeOf(wrong)]).toEqual([400, 'DIGEST_INVALID'])
  })

  test('a tag moves on, and what it named is still found by its digest', async () => {
    const { push, put, ask } = await setUp()
    await push('x', empty)
    const [first, second] = [artifact('text/x-1'), artifact('text/x-2')]
    await put('x', 'stable', first)
    await put('x', 'stable', second)
    expect((await ask('GET', '/v2/x/manifests/stable')).headers['docker-content-digest']).toBe(digestOf(bytesOf(second)))
    expect((await ask('HEAD', `/v2/x/manifests/${digestOf(bytesOf(first))}`)).status).toBe(200)
    expect(JSON.parse((await ask('GET', '/v2/x/tags/list')).body.toString())).toEqual({ name: 'x', tags: ['stable'] })
  })

  test('F3 no tag takes the place of a version of a disk image, nor of latest', async () => {
    const { server, push, put } = await setUp()
    await server.store.publish('debian-12', 'job-1', (await storeSample(server.store, [filled(0, 1)])).bytes)
    await push('debian-12', empty)
    for (const tag of ['job-1', 'latest']) {
      const refused = await put('debian-12', tag, artifact('text/x-note'))
      expect([refused.status, codeOf(refused)]).toEqual([409, 'DENIED'])
    }
    expect((await put('debian-12', 'sha256-0.sig', artifact('text/x-note'))).status).toBe(201)
    expect((await server.store.list()).length).toBe(1)
  })
})

describe('end-4a, end-4b, end-6 POST, PUT uploads: curl, and workers in oci.test.ts', () => {
  test('a blob goes up in one request and in two', async () => {
    const { ask, push } = await setUp()
    const [one, two] = [randomBytes(1000), randomBytes(1000)]
    const posted = await push('a/b/c', one)
    expect([posted.status, posted.headers.location]).toEqual([201, `/v2/a/b/c/blobs/${digestOf(one)}`])
    const begun = await ask('POST', '/v2/a/b/c/blobs/uploads/')
    expect(begun.status).toBe(202)
    const put = await ask('PUT', `${begun.headers.location}?digest=${digestOf(two)}`, [], two)
    expect([put.status, put.headers['docker-content-digest']]).toEqual([201, digestOf(two)])
    expect((await ask('GET', put.headers.location!)).body.equals(two)).toBe(true)
  })
})

describe('end-5, end-13, end-14 PATCH, GET, DELETE uploads: curl, skopeo (PATCH)', () => {
  const piece = (first: number, last: number) => ['--header', `content-range: ${first}-${last}`]

  test('a blob goes up in pieces, each where the one before it ended', async () => {
    const { ask } = await setUp()
    const bytes = randomBytes(3000)
    const { location } = (await ask('POST', '/v2/x/blobs/uploads/')).headers
    const first = await ask('PATCH', location!, piece(0, 999), bytes.subarray(0, 1000))
    expect([first.status, first.headers.range]).toEqual([202, '0-999'])
    const gap = await ask('PATCH', location!, piece(2000, 2999), bytes.subarray(2000))
    expect([gap.status, gap.headers.range, gap.headers.location, codeOf(gap)]).toEqual([416, '0-999', location, 'BLOB_UPLOAD_INVALID'])
    const liar = await ask('PATCH', location!, piece(1000, 1999), bytes.subarray(1000, 1500))
    expect([liar.status, codeOf(liar)]).toEqual([400, 'BLOB_UPLOAD_INVALID'])
    await ask('PATCH', location!, piece(1000, 1999), bytes.subarray(1000, 2000))
    const state = await ask('GET', location!)
    expect([state.status, state.headers.range, state.headers.location]).toEqual([204, '0-1999', location])
    const put = await ask('PUT', `${location}?digest=${digestOf(bytes)}`, piece(2000, 2999), bytes.subarray(2000))
    expect(put.status).toBe(201)
    expect((await ask('GET', put.headers.location!)).body.equals(bytes)).toBe(true)
    expect((await ask('GET', location!)).status).toBe(404)
    // Asked again because the answer was lost.
    expect((await ask('PUT', `${location}?digest=${digestOf(bytes)}`)).status).toBe(201)
  })

  test('an upload with a wrong digest is refused, and can be given up', async () => {
    const { server, ask } = await setUp()
    const { location } = (await ask('POST', '/v2/x/blobs/uploads/')).headers
    await ask('PATCH', location!, [], 'abc')
    const refused = await ask('PUT', `${location}?digest=${digestOf(Buffer.from('other'))}`)
    expect([refused.status, codeOf(refused)]).toEqual([400, 'DIGEST_INVALID'])
    expect((await ask('DELETE', location!)).status).toBe(204)
    expect((await ask('DELETE', location!)).status).toBe(404)
    expect(codeOf(await ask('PATCH', location!, [], 'abc'))).toBe('BLOB_UPLOAD_UNKNOWN')
    expect(codeOf(await ask('PATCH', '/v2/x/blobs/uploads/index.json', [], 'abc'))).toBe('BLOB_UPLOAD_UNKNOWN')
    expect(await readdir(join(server.directory, 'uploads'))).toEqual([])
  })
})

describe('end-11 POST uploads with mount: curl, skopeo', () => {
  test('what another image has is not sent again; what none has is begun', async () => {
    const { ask, push } = await setUp()
    const bytes = randomBytes(100)
    await push('library/one', bytes)
    const mounted = await ask('POST', `/v2/library/two/blobs/uploads/?mount=${digestOf(bytes)}&from=library/one`)
    expect([mounted.status, mounted.headers.location]).toEqual([201, `/v2/library/two/blobs/${digestOf(bytes)}`])
    const begun = await ask('POST', `/v2/library/two/blobs/uploads/?mount=${digestOf(Buffer.from('new'))}&from=library/one`)
    expect([begun.status, begun.headers.location]).toEqual([202, expect.stringContaining('/v2/library/two/blobs/uploads/')])
  })
})

describe('end-8a, end-8b GET tags/list: curl, skopeo', () => {
  test('tags come in order, in pages that lead to each other', async () => {
    const { push, put, ask } = await setUp()
    await push('x', empty)
    for (const tag of ['b', 'a', 'C', '1']) await put('x', tag, artifact('text/x-note'))
    const pages: string[][] = []
    for (let path: string | undefined = '/v2/x/tags/list?n=3'; path !== undefined; ) {
      const { body, headers }: CurlAnswer = await ask('GET', path)
      pages.push((JSON.parse(body.toString()) as { tags: string[] }).tags)
      path = /^<(.+)>; rel="next"$/.exec(headers.link ?? '')?.[1]
    }
    expect(pages).toEqual([['1', 'C', 'a'], ['b']])
    expect(JSON.parse((await ask('GET', '/v2/x/tags/list?n=0')).body.toString())).toEqual({ name: 'x', tags: [] })
    expect(codeOf(await ask('GET', '/v2/x/tags/list?n=all'))).toBe('PAGINATION_NUMBER_INVALID')
    expect(JSON.parse((await ask('GET', '/v2/_catalog')).body.toString())).toEqual({ repositories: ['x'] })
  })
})

describe('end-12a, end-12b GET referrers: curl', () => {
  test('what is about a manifest is listed, by kind if wanted, also when it came first', async () => {
    const { push, put, ask } = await setUp()
    await push('x', empty)
    const subject = artifact('text/x-subject')
    const about = { subject: descriptor(mediaTypes.manifest, bytesOf(subject)), annotations: { 'org.example.by': 'us' } }
    const [bill, signature] = [artifact('text/x-bill', about), artifact('text/x-signature', about)]
    const pushed = await put('x', digestOf(bytesOf(bill)), bill)
    expect([pushed.status, pushed.headers['oci-subject']]).toEqual([201, digestOf(bytesOf(subject))])
    await put('x', 'signed', signature)
    await put('x', 'v1', subject)
    const listed = await ask('GET', `/v2/x/referrers/${digestOf(bytesOf(subject))}`)
    expect(listed.headers['content-type']).toBe(indexType)
    const entries = [bill, signature].map((each) => ({ ...descriptor(mediaTypes.manifest, bytesOf(each)), artifactType: each.artifactType, annotations: about.annotations }))
    expect(JSON.parse(listed.body.toString())).toEqual({ schemaVersion: 2, mediaType: indexType, manifests: entries })
    const some = await ask('GET', `/v2/x/referrers/${digestOf(bytesOf(subject))}?artifactType=text/x-bill`)
    expect([some.headers['oci-filters-applied'], (JSON.parse(some.body.toString()) as { manifests: object[] }).manifests]).toEqual(['artifactType', [entries[0]]])
    expect(JSON.parse((await ask('GET', `/v2/nothing/referrers/${digestOf(empty)}`)).body.toString())).toMatchObject({ manifests: [] })
  })
})

describe('end-9, end-10 DELETE manifests, blobs: curl, skopeo (manifests)', () => {
  test('a tag goes alone, a manifest with its tags and what is only about it, a blob not at all', async () => {
    const { push, put, ask } = await setUp()
    await push('x', empty)
    const subject = artifact('text/x-subject')
    const digest = digestOf(bytesOf(subject))
    const bill = artifact('text/x-bill', { subject: descriptor(mediaTypes.manifest, bytesOf(subject)) })
    await put('x', 'v1', subject)
    await put('x', 'v2', subject)
    await put('x', digestOf(bytesOf(bill)), bill)
    expect((await ask('DELETE', '/v2/x/manifests/v1')).status).toBe(202)
    expect((await ask('HEAD', '/v2/x/manifests/v1')).status).toBe(404)
    expect((await ask('HEAD', `/v2/x/manifests/${digest}`)).status).toBe(200)
    expect((await ask('DELETE', `/v2/x/manifests/${digest}`)).status).toBe(202)
    for (const reference of ['v2', digest, digestOf(bytesOf(bill))]) expect((await ask('HEAD', `/v2/x/manifests/${reference}`)).status).toBe(404)
    expect(codeOf(await ask('DELETE', `/v2/x/manifests/${digest}`))).toBe('MANIFEST_UNKNOWN')
    const blob = await ask('DELETE', `/v2/x/blobs/${digestOf(empty)}`)
    expect([blob.status, codeOf(blob)]).toEqual([405, 'UNSUPPORTED'])
  })

  test('only an operator deletes', async () => {
    const { server, ask } = await setUp()
    await server.store.publish('debian-12', 'job-1', (await storeSample(server.store, [filled(0, 1)])).bytes)
    expect((await curl(`${server.url}/v2/debian-12/manifests/job-1`, ['--request', 'DELETE', '--user', 'worker:credential', '--header', 'ingot-claim: claim'])).status).toBe(403)
    expect((await server.store.list()).length).toBe(1)
    expect((await ask('DELETE', '/v2/debian-12/manifests/job-1')).status).toBe(202)
    expect(await server.store.list()).toEqual([])
  })
})

describe('a worker', () => {
  const worker = ['--user', 'worker:credential', '--header', 'ingot-claim: claim', '--header', 'ingot-job: debian']
  test.each([
    ['a blob for another image', 'POST', `/v2/other/blobs/uploads/?digest=${digestOf(empty)}`, '{}', 409, 'DENIED'],
    ['another image', 'PUT', '/v2/other/manifests/job-1', '{}', 409, 'DENIED'],
    ['an image for containers', 'PUT', '/v2/debian-12/manifests/job-1', JSON.stringify(artifact('text/x-note')), 400, 'MANIFEST_INVALID'],
    ['a name that is a path', 'PUT', '/v2/..%2Fdebian-12/manifests/job-1', '{}', 400, 'NAME_INVALID'],
    ['a version that is a path', 'PUT', '/v2/debian-12/manifests/..%2F..%2Fx', '{}', 405, 'UNSUPPORTED'],
    ['a digest that is a path', 'POST', '/v2/debian-12/blobs/uploads/?digest=sha256:..%2F..%2Fetc', '{}', 400, 'DIGEST_INVALID'],
    ['a blob of another digest', 'POST', `/v2/debian-12/blobs/uploads/?digest=${digestOf(Buffer.from('x'))}`, '{}', 400, 'DIGEST_INVALID'],
  ])('cannot push %s', async (_, method, path, body, status, code) => {
    const { server, ask } = await setUp()
    const answer = await ask(method, path, worker, body)
    expect([answer.status, codeOf(answer)]).toEqual([status, code])
    expect([await server.store.registry.names(), await server.store.registry.files.list()]).toEqual([[], []])
  })

  test('cannot send more than a blob may have, in one piece or in several', async () => {
    const { server, ask } = await setUp()
    const { location } = (await ask('POST', '/v2/debian-12/blobs/uploads/', worker)).headers
    const piece = Buffer.alloc(9 * 1024 * 1024)
    expect((await ask('PATCH', location!, worker, piece)).status).toBe(202)
    const refused = await ask('PATCH', location!, worker, piece)
    expect([refused.status, codeOf(refused)]).toEqual([413, 'SIZE_INVALID'])
    expect(await server.store.registry.files.list()).toEqual([])
  })
})

describe('skopeo', () => {
  const flags = ['--quiet', '--src-tls-verify=false', '--dest-tls-verify=false', '--src-creds=any:operator', '--dest-creds=any:operator']

  test('an image for containers goes in and comes out byte for byte, is copied between names, and is deleted', { timeout: 60_000 }, async () => {
    const { server } = await setUp()
    const [source, back] = [await folderOf(), await folderOf()]
    const { manifest, layer, config } = await makeContainerImage(source)
    const { host } = new URL(server.url)
    await run('skopeo', ['copy', ...flags, `oci:${source}:12`, `docker://${host}/library/debian:12`])
    await run('skopeo', ['copy', ...flags, `docker://${host}/library/debian:12`, `docker://${host}/copies/debian:mine`])
    await run('skopeo', ['copy', ...flags, `docker://${host}/copies/debian:mine`, `oci:${back}:12`])
    for (const bytes of [manifest, layer, config]) expect((await readFile(join(back, 'blobs/sha256', digestOf(bytes).slice(7)))).equals(bytes)).toBe(true)
    expect(await server.store.list()).toEqual([])
    await run('skopeo', ['delete', '--tls-verify=false', '--creds=any:operator', `docker://${host}/copies/debian:mine`])
    expect(await server.store.registry.names()).toEqual(['library/debian'])
    const inspected = JSON.parse(await run('skopeo', ['inspect', '--tls-verify=false', '--creds=any:operator', `docker://${host}/library/debian:12`])) as object
    expect(inspected).toMatchObject({ Digest: digestOf(manifest), RepoTags: ['12'] })
  })

  test('a disk image is copied from one first computer to another, where it is read back and published', { timeout: 60_000 }, async () => {
    const [one, other] = [await startImageServer(), await startImageServer()]
    onTestFinished(one.close)
    onTestFinished(other.close)
    const { digest } = await one.store.publish('debian-12', 'job-1', (await storeSample(one.store, [filled(0, 1), filled(1024 * 1024, 2)])).bytes)
    await run('skopeo', ['copy', ...flags, `docker://${new URL(one.url).host}/debian-12:job-1`, `docker://${new URL(other.url).host}/debian-12:job-1`])
    expect(await other.store.list()).toMatchObject([{ name: 'debian-12', version: 'job-1', digest }])
  })
})
