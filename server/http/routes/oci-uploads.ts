import type { FastifyReply } from 'fastify'
import { UploadOffsetError } from '../../image-store/upload-store.ts'
import { bodyOf, checkLength, mostBytes, type OciCall, type OciHandler } from './oci-context.ts'
import { OciError } from './oci-error.ts'
import { checkDigest, checkName } from './oci-path.ts'

interface UploadTarget {
  name: string
  id: string
}

const unknownUpload = ({ id }: UploadTarget) => new OciError('BLOB_UPLOAD_UNKNOWN', `no upload ${id} is under way; it may have been given up, or be a day old`)

/** Where an upload goes on. An upload without a byte is told as `0-0`, as all registries do. */
const uploadHeaders = ({ name, id }: UploadTarget, sizeBytes: number) => ({
  location: `/v2/${name}/blobs/uploads/${id}`,
  range: `0-${Math.max(0, sizeBytes - 1)}`,
  'docker-upload-uuid': id,
})

const sendCreated = (reply: FastifyReply, name: string, digest: string): FastifyReply =>
  reply
    .code(201)
    .headers({ location: `/v2/${name}/blobs/${digest}`, 'docker-content-digest': digest })
    .send()

/** A blob in one request with `digest`, a blob of another image with `mount`, or else the beginning of an upload in pieces. */
export const postUpload: OciHandler<{ name: string }> = async ({ name }, call) => {
  const { reply, query, options } = call
  const blobs = options.store.registry.blobs(name)
  if (query.digest !== undefined) {
    const digest = checkDigest(query.digest)
    checkLength(call, mostBytes(call))
    await blobs.write(digest, bodyOf(call), { maxBytes: mostBytes(call) })
    return sendCreated(reply, name, digest)
  }
  if (query.mount !== undefined) {
    const digest = checkDigest(query.mount)
    if (query.from !== undefined) checkName(query.from)
    if ((await blobs.keep(digest)) !== undefined) return sendCreated(reply, name, digest)
  }
  const id = await options.store.uploads.begin()
  return reply.code(202).headers(uploadHeaders({ name, id }, 0)).send()
}

/** How much of an upload is here, for one who goes on after a cut (F9). */
export const getUpload: OciHandler<UploadTarget> = async (target, { reply, options }) => {
  const sizeBytes = await options.store.uploads.size(target.id)
  if (sizeBytes === undefined) throw unknownUpload(target)
  return reply.code(204).headers(uploadHeaders(target, sizeBytes)).send()
}

export const patchUpload: OciHandler<UploadTarget> = async (target, call) => {
  const sizeBytes = await append(target, call)
  return call.reply.code(202).headers(uploadHeaders(target, sizeBytes)).send()
}

/** The end of an upload, with its last piece if there is one. */
export const putUpload: OciHandler<UploadTarget> = async (target, call) => {
  const { query, reply, options } = call
  const { uploads, registry } = options.store
  const blobs = registry.blobs(target.name)
  const digest = checkDigest(query.digest ?? '')
  // Asked again because the answer was lost.
  if ((await uploads.size(target.id)) === undefined && (await blobs.keep(digest)) !== undefined) return sendCreated(reply, target.name, digest)
  await append(target, call)
  const taken = await uploads.finish(target.id, (path) => blobs.adopt(digest, path))
  if (taken === undefined) throw unknownUpload(target)
  return sendCreated(reply, target.name, digest)
}

export const deleteUpload: OciHandler<UploadTarget> = async (target, { reply, options }) => {
  if (!(await options.store.uploads.cancel(target.id))) throw unknownUpload(target)
  return reply.code(204).send()
}

async function append(target: UploadTarget, call: OciCall): Promise<number> {
  const { request, reply, options } = call
  const maxBytes = mostBytes(call)
  checkLength(call, maxBytes)
  const offset = parseContentRange(request.headers['content-range'], request.headers['content-length'])
  const piece = { content: bodyOf(call), maxBytes, ...(offset === undefined ? {} : { offset }) }
  try {
    const sizeBytes = await options.store.uploads.append(target.id, piece)
    if (sizeBytes === undefined) throw unknownUpload(target)
    return sizeBytes
  } catch (error) {
    if (error instanceof UploadOffsetError) reply.headers(uploadHeaders(target, error.sizeBytes))
    throw error
  }
}

/** Where a piece begins. The header is not that of RFC 9110: the specification has `<first>-<last>` here, without a unit and without a total. */
function parseContentRange(header: string | undefined, contentLength: string | undefined): number | undefined {
  if (header === undefined) return undefined
  const [, first, last] = /^(?:bytes[= ])?(\d+)-(\d+)(?:\/.*)?$/.exec(header) ?? []
  if (first === undefined || last === undefined) throw new OciError('BLOB_UPLOAD_INVALID', `header Content-Range: expected <first>-<last>, got "${header}"`)
  const length = Number(last) - Number(first) + 1
  if (contentLength !== undefined && Number(contentLength) !== length) {
    throw new OciError('BLOB_UPLOAD_INVALID', `header Content-Range: expected ${contentLength} bytes, as Content-Length has it, got ${length}`)
  }
  return Number(first)
}
