import { randomUUID } from 'node:crypto'
import { Readable } from 'node:stream'
import type { FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify'
import { imageNamePattern } from '../../api/image.ts'
import { mediaTypes } from '../../api/media-types.ts'
import { IngotError } from '../../errors.ts'
import { maxBlobBytes } from '../../image-store/blob-store.ts'
import { maxManifestBytes, type Image, type ImageStore } from '../../image-store/open-image-store.ts'
import type { Authorize } from '../auth.ts'
import { OciError, sendOciError } from './oci-error.ts'

export interface OciRoutesOptions {
  store: ImageStore
  authorize: Authorize
  /**
   * Refuses a write whose claim is not, or no longer, the one on the job (F5): throws `HttpProblem` 409 or 410. `version` is the id of the job for a
   * manifest and `undefined` for a blob. For a manifest it is asked twice: before anything is read, and right before the image becomes visible.
   */
  mayPublish: (request: FastifyRequest, name: string, version: string | undefined) => Promise<void>
  /** Called once a version is visible, before the worker is answered. */
  onPublished: (image: Image, request: FastifyRequest) => Promise<void>
}

type Named<More extends object = object> = { Params: { name: string } & More }
type WithDigest = { Querystring: { digest?: string } }
const digestPattern = /^sha256:[0-9a-f]{64}$/

/**
 * The part of the OCI distribution API (distribution-spec 1.1) that pulls images and pushes them: blobs first, each in one request
 * (`POST …/blobs/uploads/?digest=`) or two (`POST`, then `PUT`), the manifest last. Bodies flow into the store and are never held whole, except manifests.
 * A blob is found by its digest under any name: two images share what they have in common.
 */
export const ociRoutes: FastifyPluginAsync<OciRoutesOptions> = async (app, { store, authorize, mayPublish, onPublished }) => {
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('*', (_request, body, done) => done(null, body))
  app.setErrorHandler((error, request, reply) => {
    sendOciError(error, reply)
    if (reply.statusCode >= 500) request.log.error({ err: error }, 'request failed')
  })
  app.addHook('onRequest', async (request) => {
    const { name, digest } = request.params as { name?: string; digest?: string }
    if (name !== undefined && !new RegExp(imageNamePattern).test(name)) {
      throw new OciError('NAME_INVALID', `name: expected ${imageNamePattern}, got "${name}"`)
    }
    if (digest !== undefined) checkDigest(digest)
    const writes = request.method !== 'GET' && request.method !== 'HEAD'
    await authorize(request, ['worker', 'operator'])
    const version = (request.params as { reference?: string }).reference
    if (writes) await mayPublish(request, name ?? '', version)
  })

  app.get('/v2/', async (_request, reply) => reply.header('docker-distribution-api-version', 'registry/2.0').send({}))

  app.head<Named<{ digest: string }>>('/v2/:name/blobs/:digest', async ({ params: { digest } }, reply) => {
    const sizeBytes = await store.blobs.size(digest)
    if (sizeBytes === undefined) throw new IngotError('blob-unknown', `blob ${digest} is not in the store`)
    return reply.headers(blobHeaders(digest, sizeBytes)).send()
  })
  app.get<Named<{ digest: string }>>('/v2/:name/blobs/:digest', { exposeHeadRoute: false }, async ({ params: { digest } }, reply) => {
    const sizeBytes = await store.blobs.size(digest)
    const content = await store.blobs.read(digest)
    return reply.headers(blobHeaders(digest, sizeBytes ?? 0)).send(content)
  })

  app.post<Named & WithDigest>('/v2/:name/blobs/uploads/', async (request, reply) => {
    if (request.query.digest !== undefined) return receiveBlob(request, reply)
    return reply.code(202).header('location', `/v2/${request.params.name}/blobs/uploads/${randomUUID()}`).send()
  })
  app.put<Named<{ upload: string }> & WithDigest>('/v2/:name/blobs/uploads/:upload', receiveBlob)

  async function receiveBlob(request: FastifyRequest<Named & WithDigest>, reply: FastifyReply) {
    const digest = checkDigest(request.query.digest ?? '')
    checkLength(request, maxBlobBytes)
    await store.blobs.write(digest, bodyOf(request))
    return reply
      .code(201)
      .headers({ location: `/v2/${request.params.name}/blobs/${digest}`, 'docker-content-digest': digest })
      .send()
  }

  app.put<Named<{ reference: string }>>('/v2/:name/manifests/:reference', async (request, reply) => {
    const { name, reference } = request.params
    if (digestPattern.test(reference)) throw new OciError('UNSUPPORTED', 'an image is published under a version, not under its digest')
    checkLength(request, maxManifestBytes)
    const pieces: Uint8Array[] = []
    let sizeBytes = 0
    for await (const piece of bodyOf(request)) {
      sizeBytes += piece.length
      if (sizeBytes > maxManifestBytes) throw new OciError('SIZE_INVALID', `manifest: expected at most ${maxManifestBytes} bytes, got more`)
      pieces.push(piece)
    }
    const confirm = () => mayPublish(request, name, reference)
    const image = await store.publish(name, reference, Buffer.concat(pieces), confirm).catch((error: unknown) => {
      if (error instanceof IngotError && error.code === 'blob-unknown') throw new OciError('MANIFEST_BLOB_UNKNOWN', error.message)
      throw error
    })
    await onPublished(image, request)
    return reply
      .code(201)
      .headers({ location: `/v2/${name}/manifests/${image.digest}`, 'docker-content-digest': image.digest })
      .send()
  })

  // HEAD comes with GET: Fastify answers it with the headers alone.
  app.get<Named<{ reference: string }>>('/v2/:name/manifests/:reference', async ({ params: { name, reference } }, reply) => {
    const { digest, manifestBytes } = await store.resolve(name, reference)
    return reply
      .type(mediaTypes.manifest)
      .headers({ 'content-length': manifestBytes, 'docker-content-digest': digest, etag: `"${digest}"` })
      .send(await store.blobs.read(digest))
  })

  app.get<Named & { Querystring: { n?: string; last?: string } }>('/v2/:name/tags/list', async ({ params: { name }, query }) => {
    const versions = (await store.list()).filter((entry) => entry.name === name).map(({ version }) => version)
    if (versions.length === 0) throw new OciError('NAME_UNKNOWN', `no image ${name} has been published`)
    const { n, last = '' } = query
    if (n !== undefined && !/^\d+$/.test(n)) throw new OciError('UNSUPPORTED', `n: expected a number, got "${n}"`)
    const tags = versions.sort().filter((version) => version > last)
    return { name, tags: n === undefined ? tags : tags.slice(0, Number(n)) }
  })
}

const blobHeaders = (digest: string, sizeBytes: number) => ({
  'content-type': 'application/octet-stream',
  'content-length': sizeBytes,
  'docker-content-digest': digest,
  etag: `"${digest}"`,
})

function checkDigest(digest: string): string {
  if (!digestPattern.test(digest)) throw new OciError('DIGEST_INVALID', `digest: expected sha256: and 64 hex digits, got "${digest}"`)
  return digest
}

function checkLength(request: FastifyRequest, maxBytes: number): void {
  const declared = Number(request.headers['content-length'] ?? 0)
  if (declared > maxBytes) throw new OciError('SIZE_INVALID', `body: expected at most ${maxBytes} bytes, got ${declared}`)
}

/** The bytes of a request as they come. Leaving off early must not cut the connection: the one who sends is told why first. */
const bodyOf = (request: FastifyRequest): AsyncIterable<Uint8Array> =>
  ((request.body as Readable | undefined) ?? Readable.from([])).iterator({ destroyOnReturn: false })
