import { Readable } from 'node:stream'
import { IngotError } from '../../errors.ts'
import { verifyStream } from '../../image-store/verify-stream.ts'
import { parseByteRange } from './byte-range.ts'
import type { OciHandler } from './oci-context.ts'
import { OciError } from './oci-error.ts'

interface BlobTarget {
  name: string
  digest: string
}

const headers = (digest: string, sizeBytes: number) => ({
  'content-type': 'application/octet-stream',
  'content-length': sizeBytes,
  'docker-content-digest': digest,
  'accept-ranges': 'bytes',
  etag: `"${digest}"`,
})

const unknown = (digest: string) => new IngotError('blob-unknown', `blob ${digest} is not in the store`)

/** Whether a blob is there. One who asks may count on it and not send it, so it is kept from garbage collection for a day. */
export const headBlob: OciHandler<BlobTarget> = async ({ name, digest }, { reply, options }) => {
  const sizeBytes = await options.store.registry.blobs(name).keep(digest)
  if (sizeBytes === undefined) throw unknown(digest)
  return reply.headers(headers(digest, sizeBytes)).send()
}

/**
 * A blob, or a part of it. A small one is read once for many who ask, and is what it was; a large one is hashed on its way when it is sent whole, and then
 * never arrives whole if it is not (F2).
 */
export const getBlob: OciHandler<BlobTarget> = async ({ name, digest }, { request, reply, options, reads }) => {
  const blobs = options.store.registry.blobs(name)
  const shared = await reads.read(name, blobs, digest)
  const sizeBytes = shared?.length ?? (await blobs.size(digest))
  if (sizeBytes === undefined) throw unknown(digest)
  const range = request.headers['if-range'] === undefined || request.headers['if-range'] === `"${digest}"` ? parseByteRange(request.headers.range, sizeBytes) : undefined
  if (range === 'unsatisfiable') {
    const problem = { code: 'SIZE_INVALID', message: `Range: expected bytes of ${sizeBytes}, got ${request.headers.range}` }
    return reply.code(416).header('content-range', `bytes */${sizeBytes}`).send({ errors: [problem] })
  }
  if (range !== undefined) {
    const content = shared?.subarray(range.first, range.last + 1) ?? (await blobs.read(digest, range))
    return reply
      .code(206)
      .headers({ ...headers(digest, range.last - range.first + 1), 'content-range': `bytes ${range.first}-${range.last}/${sizeBytes}` })
      .send(content)
  }
  if (shared !== undefined) return reply.headers(headers(digest, sizeBytes)).send(shared)
  const content = await blobs.read(digest)
  const verified = verifyStream(content, digest, async (got) => {
    await blobs.quarantine(digest)
    throw new IngotError('image-corrupt', `blob ${digest}: what was stored reads back as ${got}; it was put aside, send it again`)
  })
  return reply.headers(headers(digest, sizeBytes)).send(Readable.from(verified, { objectMode: false }))
}

/** Other images may need the same blob, so nobody deletes one by itself. */
export const deleteBlob: OciHandler<BlobTarget> = async () => {
  throw new OciError('UNSUPPORTED', 'a blob goes by itself once no image needs it; delete the manifests of those that do')
}
