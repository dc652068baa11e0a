import type { FastifyReply } from 'fastify'
import { isSnapshotTag } from '../../../images/snapshot-tag.ts'
import { IngotError } from '../../errors.ts'
import { digestPattern } from '../../image-store/digest.ts'
import { maxManifestBytes } from '../../image-store/open-image-store.ts'
import { isDisk, isSnapshot, parseManifest } from '../../image-store/parse-manifest.ts'
import type { StoredManifest } from '../../image-store/registry.ts'
import { bodyOf, checkLength, type OciCall, type OciHandler } from './oci-context.ts'
import { OciError } from './oci-error.ts'

interface ManifestTarget {
  name: string
  reference: string
}

/** HEAD comes with GET: Fastify answers it with the headers alone. Who pulls a manifest is about to pull its blobs, which are kept for a day. */
export const getManifest: OciHandler<ManifestTarget> = async ({ name, reference }, { reply, options }) => {
  const { registry } = options.store
  const stored = await registry.read(name, reference)
  if (stored === undefined) throw new IngotError('image-unknown', `no image ${name}:${reference} is stored`)
  const { mediaType, digest, bytes } = stored
  await registry.blobs(name).keep(digest)
  return reply
    .type(mediaType)
    .headers({ 'content-length': bytes.length, 'docker-content-digest': digest, etag: `"${digest}"` })
    .send(bytes)
}

/**
 * A disk image is read back. That of a worker is then proven before it gets its version; an operator's is published at once, and whatever else an operator
 * pushes is stored as it is. So is the disk that a worker keeps of the first steps of its job, which nobody sees.
 */
export const putManifest: OciHandler<ManifestTarget> = async (target, call) => {
  const { name, reference } = target
  const { request, identity } = call
  checkLength(call, maxManifestBytes)
  const bytes = await readManifest(call)
  const declared = request.headers['content-type']?.split(';')[0]?.trim()
  const facts = parseManifest(bytes, declared)
  if (isSnapshot(facts) !== isSnapshotTag(reference)) throw new OciError('MANIFEST_INVALID', `expected a snapshot under a tag of one, got ${facts.artifactType} as ${reference}`)
  if (isDisk(facts) || (identity.role === 'worker' && !isSnapshot(facts))) return takeDisk(target, bytes, call)
  const confirm = () => call.options.mayPublish(request, name, reference)
  const { digest, subject } = await call.options.store.putManifest(name, reference, bytes, declared, { confirm }).catch(missingBlob)
  return sendCreated(call.reply, name, digest, subject)
}

async function takeDisk({ name, reference }: ManifestTarget, bytes: Uint8Array, { request, reply, options, identity }: OciCall): Promise<FastifyReply> {
  if (digestPattern.test(reference)) throw new OciError('UNSUPPORTED', 'an image of a disk is published under a version, not under its digest')
  const confirm = () => options.mayPublish(request, name, reference)
  const isWorkers = identity.role === 'worker'
  const { store } = options
  const image = await (isWorkers ? store.receive(name, reference, bytes, confirm) : store.publish(name, reference, bytes, confirm)).catch(missingBlob)
  if (isWorkers) await options.onReceived(image, request)
  else options.onPublished?.()
  return sendCreated(reply, name, image.digest)
}

const sendCreated = (reply: FastifyReply, name: string, digest: string, subject?: string): FastifyReply =>
  reply
    .code(201)
    .headers({ location: `/v2/${name}/manifests/${digest}`, 'docker-content-digest': digest, ...(subject === undefined ? {} : { 'oci-subject': subject }) })
    .send()

function missingBlob(error: unknown): never {
  if (error instanceof IngotError && error.code === 'blob-unknown') throw new OciError('MANIFEST_BLOB_UNKNOWN', error.message)
  throw error
}

async function readManifest(call: OciCall): Promise<Buffer> {
  const pieces: Uint8Array[] = []
  let sizeBytes = 0
  for await (const piece of bodyOf(call)) {
    sizeBytes += piece.length
    if (sizeBytes > maxManifestBytes) throw new OciError('SIZE_INVALID', `manifest: expected at most ${maxManifestBytes} bytes, got more`)
    pieces.push(piece)
  }
  return Buffer.concat(pieces)
}

export const deleteManifest: OciHandler<ManifestTarget> = async ({ name, reference }, { reply, options }) => {
  await options.store.remove(name, reference)
  options.onRemoved?.()
  return reply.code(202).send()
}

/** The manifests about this one, as an index of them (OCI distribution-spec 1.1, "Listing Referrers"); none is no error. */
export const getReferrers: OciHandler<{ name: string; digest: string }> = async ({ name, digest }, { reply, query, options }) => {
  const all = await options.store.registry.referrers(name, digest)
  const wanted = query.artifactType === undefined ? all : all.filter(({ artifactType }) => artifactType === query.artifactType)
  if (query.artifactType !== undefined) reply.header('oci-filters-applied', 'artifactType')
  const mediaType = 'application/vnd.oci.image.index.v1+json'
  // Sent as bytes: Fastify would add a charset, which this type does not have.
  return reply.type(mediaType).send(Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType, manifests: wanted.map(describe) })))
}

const describe = ({ mediaType, artifactType, digest, sizeBytes, bytes }: StoredManifest) => {
  const { annotations } = parseManifest(bytes)
  return { mediaType, digest, size: sizeBytes, ...(artifactType === undefined ? {} : { artifactType }), ...(Object.keys(annotations).length === 0 ? {} : { annotations }) }
}
